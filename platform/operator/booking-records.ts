import type { FastifyInstance } from 'fastify';
import {
  BOOKING_IDS_PATH,
  BOOKING_RECORDS_PATH,
  bookingIdsRequest,
  bookingRecordsRequest,
  MAX_BOOKING_IDS,
} from '#contracts/reconciliation.ts';

/**
 * Serves a context's records of bookings at {@link BOOKING_RECORDS_PATH}, and the ids of the bookings after one
 * at {@link BOOKING_IDS_PATH}, for the reconciliation.
 */
export function serveBookingRecords(
  app: FastifyInstance,
  read: (bookingIds: readonly string[]) => Promise<object[]>,
  listAfter: (after: string, limit: number) => Promise<string[]>,
): void {
  app.post(BOOKING_RECORDS_PATH, async (request, reply) => {
    const parsed = bookingRecordsRequest.safeParse(request.body);
    if (!parsed.success) {
      return reply.code(400).send({ message: 'bookingIds must be a list of at most 500 ids' });
    }
    return { records: await read(parsed.data.bookingIds) };
  });
  app.post(BOOKING_IDS_PATH, async (request, reply) => {
    const parsed = bookingIdsRequest.safeParse(request.body);
    if (!parsed.success) {
      const message = `after must be an id, limit a number from 1 to ${MAX_BOOKING_IDS}`;
      return reply.code(400).send({ message });
    }
    return { bookingIds: await listAfter(parsed.data.after, parsed.data.limit) };
  });
}
