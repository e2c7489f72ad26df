import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { v7 as uuidv7 } from 'uuid';
import { type BookingPayload, bookingEvents } from '#contracts/book.ts';
import { type PaymentPayload, paymentEvents } from '#contracts/payment.ts';
import { type EventRecord, newEvent, queueName } from '#platform/messaging/events.ts';
import type { Transport } from '#platform/messaging/queue.ts';

const VIEW_TIMEOUT_MS = 60_000;
const BATCH_SIZE = 1_000;
const PACE_MS = 10;
const HOUR_MS = 3_600_000;
/** The router polls every few seconds for the changes of the last 30 s, in case notifications are lost. */
const RECENT_MS = 35_000;

export interface LiveBooking {
  bookingId: string;
  customerId: string;
}

/** A version of a view, and the time (in ms since 1970) that its transaction stored in it. */
export interface ProjectedVersion {
  bookingId: string;
  version: number;
  projectedAt: number;
}

/** Sends events of book and payment to mypage's queues. */
export function liveEvents(transport: Transport, viewDatabaseUrl: string) {
  let payments = 0;
  let createdAt = 0;

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
    /** Creates bookings that only mypage stores, each of a customer of its own; waits until they are visible. */
    async createBookings(count: number): Promise<LiveBooking[]> {
      const bookings = Array.from({ length: count }, (_, n) => ({
        bookingId: uuidv7(),
        customerId: `live-${n}`,
      }));
      for (let from = 0; from < count; from += BATCH_SIZE) {
        await send(bookings.slice(from, from + BATCH_SIZE).map(booked));
      }
      const deadline = performance.now() + VIEW_TIMEOUT_MS;
      for (;;) {
        const [row] = await query(
          `SELECT count(*) AS shown FROM booking_status_view
            WHERE customer_id LIKE 'live-%' AND booking_id IN (SELECT value FROM json_each(?))`,
          [JSON.stringify(bookings.map(({ bookingId }) => bookingId))],
        );
        if (Number(row?.shown) === count) {
          createdAt = performance.now();
          return bookings;
        }
        if (performance.now() > deadline) throw new Error(`mypage shows ${row?.shown} bookings.`);
        await wait(200);
      }
    },

    /** Resolves when polling no longer finds the creation of the bookings, which it would deliver again. */
    untilCreationIsOld: () => wait(createdAt + RECENT_MS - performance.now()),

    /**
     * Changes these bookings in turn, at this rate per second, until `end`. The events are payments': a
     * booking's own events would make its timeline unrealistically long.
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
      // end() rethrows a failure.
      sending.catch(() => {});
      return {
        async end() {
          ended = true;
          await sending;
        },
      };
    },

    /** All versions that mypage has stored since that time. */
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
    // Above all versions that payment itself has published.
    version: 1_000 + version,
    occurredAt: new Date(),
    payload,
  });
}
