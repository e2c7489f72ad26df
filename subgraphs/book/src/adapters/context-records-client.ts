import { z } from 'zod';
import {
  BOOKING_IDS_PATH,
  BOOKING_RECORDS_PATH,
  bookingIdsResponse,
  MAX_BOOKING_IDS,
  paymentRecord,
  registrationRecord,
  viewRecord,
} from '#contracts/reconciliation.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { openPeerClient } from '#platform/http/peer-client.ts';
import { firstIdAt } from '#platform/messaging/archive.ts';
import { EVENTS_PATH, type StoredEvents } from '#platform/messaging/stored-events.ts';
import type { ContextRecords, EventSource } from '../application/reconcile.ts';
import type { ReconcileBookingsPorts } from '../application/reconcile-bookings.ts';

type Peer = 'payment' | 'space' | 'mypage';

const PAGE_SIZE = 500;
const TIMEOUT_MS = 10_000;

const eventPage = z.object({
  events: z.array(z.object({ id: z.uuid(), payload: z.unknown() })),
});
/** Every event of a booking names it; the events of a space do not. */
const bookingPayload = z.object({ bookingId: z.uuid() });

/**
 * Reads the other contexts' records over HTTP, and book's own events from its database. Events younger
 * than `delayMs` are left for a later round: what follows from them may still be under way.
 */
export function contextRecordsClient(
  urls: Record<Peer, string>,
  ownEvents: StoredEvents,
  authorize: SignRequest,
  delayMs: number,
): ContextRecords & ReconcileBookingsPorts['records'] & { close(): Promise<void> } {
  const peers = openPeerClient(urls, authorize, { connections: 1, timeoutMs: TIMEOUT_MS });

  async function readRecords<Record extends { bookingId: string }>(
    to: Peer,
    shape: z.ZodType<Record>,
    bookingIds: readonly string[],
  ): Promise<Map<string, Record>> {
    const request = { path: BOOKING_RECORDS_PATH, body: { bookingIds } };
    const { records } = await peers.request(to, request, z.object({ records: z.array(shape) }));
    return new Map(records.map((record) => [record.bookingId, record]));
  }

  async function readEventsAfter(source: EventSource, eventId: string) {
    if (source === 'book') return ownEvents.page(eventId, PAGE_SIZE);
    const path = `${EVENTS_PATH}?after=${eventId}&limit=${PAGE_SIZE}`;
    return (await peers.request(source, { path }, eventPage)).events;
  }

  return {
    async changedAfter(source, eventId) {
      const end = firstIdAt(Date.now() - delayMs);
      const page = await readEventsAfter(source, eventId);
      const events = page.filter(({ id }) => id < end);
      const ids = events.flatMap(
        ({ payload }) => bookingPayload.safeParse(payload).data?.bookingId ?? [],
      );
      return {
        bookingIds: [...new Set(ids)],
        last: events.at(-1)?.id ?? null,
        hasMore: events.length === PAGE_SIZE,
      };
    },

    async read(ids) {
      const [payments, registrations, views] = await Promise.all([
        readRecords('payment', paymentRecord, ids),
        readRecords('space', registrationRecord, ids),
        readRecords('mypage', viewRecord, ids),
      ]);
      return ids.map((bookingId) => ({
        bookingId,
        payment: payments.get(bookingId) ?? null,
        registration: registrations.get(bookingId) ?? null,
        view: views.get(bookingId) ?? null,
      }));
    },

    async idsAfter(after) {
      const request = { path: BOOKING_IDS_PATH, body: { after, limit: MAX_BOOKING_IDS } };
      const pages = await Promise.all(
        (['payment', 'space', 'mypage'] as const).map(
          async (peer) => (await peers.request(peer, request, bookingIdsResponse)).bookingIds,
        ),
      );
      // A full page may end before the others: what follows its end comes with the next one.
      const ends = pages.flatMap((page) => (page.length < MAX_BOOKING_IDS ? [] : [page.at(-1)]));
      const [end = null] = ends.filter((id) => id !== undefined).sort();
      const ids = [...new Set(pages.flat())].sort();
      // As many as one request for records may name.
      const page = ids.filter((id) => end === null || id <= end).slice(0, MAX_BOOKING_IDS);
      const isCut = page.length < ids.length;
      return { ids: page, next: isCut || end !== null ? (page.at(-1) ?? null) : null };
    },

    close: () => peers.close(),
  };
}
