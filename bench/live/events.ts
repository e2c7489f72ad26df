import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { v7 as uuidv7 } from 'uuid';
import { type BookingPayload, bookingEvents } from '#contracts/book.ts';
import { type PaymentPayload, paymentEvents } from '#contracts/payment.ts';
import { type EventRecord, newEvent, queueName } from '#platform/messaging/events.ts';
import type { Transport } from '#platform/messaging/queue.ts';

const SHOWN_WITHIN_MS = 60_000;
const BATCH_SIZE = 1_000;
const PACE_MS = 10;
const HOUR_MS = 3_600_000;
/** The router asks every few seconds what was new in the last 30 s, in case notifications were lost. */
const RECENT_MS = 35_000;

export interface LiveBooking {
  bookingId: string;
  customerId: string;
}

/** A version of a view, and the instant (in ms since 1970) that its transaction wrote into it. */
export interface ProjectedVersion {
  bookingId: string;
  version: number;
  projectedAt: number;
}

/** Tells mypage, through its queues, what book and payment would tell it. */
export function liveEvents(transport: Transport, viewDatabaseUrl: string) {
  let payments = 0;
  let madeAt = 0;

  async function send(events: readonly EventRecord[]): Promise<void> {
    const messages = events.map((event) => ({
      queue: queueName(event.topic, 'mypage'),
      event,
      attempt: 1,
    }));
    await transport.send(messages);
  }

  async function query(sql: string, args: string[]) {
    const client = createClient({ url: viewDatabaseUrl });
    try {
      return (await client.execute({ sql, args })).rows;
    } finally {
      client.close();
    }
  }

  return {
    /** Makes bookings that only mypage knows, each of a customer of its own, and waits until it shows them. */
    async makeBookings(count: number): Promise<LiveBooking[]> {
      const bookings = Array.from({ length: count }, (_, n) => ({
        bookingId: uuidv7(),
        customerId: `live-${n}`,
      }));
      for (let from = 0; from < count; from += BATCH_SIZE) {
        await send(bookings.slice(from, from + BATCH_SIZE).map(booked));
      }
      const deadline = performance.now() + SHOWN_WITHIN_MS;
      for (;;) {
        const [row] = await query(
          `SELECT count(*) AS shown FROM booking_status_view
            WHERE customer_id LIKE 'live-%' AND booking_id IN (SELECT value FROM json_each(?))`,
          [JSON.stringify(bookings.map(({ bookingId }) => bookingId))],
        );
        if (Number(row?.shown) === count) {
          madeAt = performance.now();
          return bookings;
        }
        if (performance.now() > deadline) throw new Error(`mypage shows ${row?.shown} bookings.`);
        await wait(200);
      }
    },

    /** Resolves when the making of the bookings is no news: else thousands of them were told again. */
    untilOld: () => wait(madeAt + RECENT_MS - performance.now()),

    /**
     * Changes these bookings in turn, so many a second, until it is told to end. By their payments: a
     * booking's own events would make its timeline longer and longer, which none is in life.
     */
    change(bookings: readonly LiveBooking[], perSecond: number): { end(): Promise<void> } {
      const start = performance.now();
      let sent = 0;
      let ended = false;
      const sending = (async () => {
        while (!ended) {
          const due = Math.floor(((performance.now() - start) * perSecond) / 1_000);
          const events = Array.from({ length: Math.min(due - sent, BATCH_SIZE) }, (_, n) => {
            payments += 1;
            return paid(bookings[(sent + n) % bookings.length] as LiveBooking, payments);
          });
          sent += events.length;
          await send(events);
          await wait(PACE_MS);
        }
      })();
      // end() tells of a failure.
      sending.catch(() => {});
      return {
        async end() {
          ended = true;
          await sending;
        },
      };
    },

    /** All versions that mypage has made since that instant. */
    async projectedSince(since: Date): Promise<ProjectedVersion[]> {
      const rows = await query(
        `SELECT booking_id, version, projected_at FROM view_version WHERE projected_at >= ?`,
        [since.toISOString().replace('Z', '+00:00')],
      );
      return rows.map((row) => ({
        bookingId: String(row.booking_id),
        version: Number(row.version),
        projectedAt: Date.parse(String(row.projected_at)),
      }));
    },
  };
}
export type LiveEvents = ReturnType<typeof liveEvents>;

function nextSlot() {
  const startAt = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
  return {
    startAt: new Date(startAt),
    endAt: new Date(startAt + HOUR_MS),
  };
}

function booked({ bookingId, customerId }: LiveBooking): EventRecord {
  const payload: BookingPayload = {
    bookingId,
    customerId,
    spaceId: uuidv7(),
    spaceName: 'Room 1',
    slot: nextSlot(),
    price: { amount: 30_000, currency: 'KRW' },
    status: 'REQUESTED',
    refund: { amount: 0, currency: 'KRW' },
  };
  return newEvent('Booked', bookingEvents.Booked, {
    aggregateId: bookingId,
    version: 1,
    occurredAt: new Date(),
    payload,
  });
}

function paid({ bookingId }: LiveBooking, version: number): EventRecord {
  const payload: PaymentPayload = {
    paymentId: uuidv7(),
    bookingId,
    spaceId: uuidv7(),
    slot: nextSlot(),
    status: 'APPROVED',
    amount: 30_000,
    refunded: 0,
    currency: 'KRW',
  };
  return newEvent('PaymentApproved', paymentEvents.PaymentApproved, {
    aggregateId: payload.paymentId,
    // Above all versions that payment itself has made of it.
    version: 1_000 + version,
    occurredAt: new Date(),
    payload,
  });
}
