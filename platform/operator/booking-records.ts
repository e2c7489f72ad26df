import type { FastifyInstance } from 'fastify';
import { BOOKING_RECORDS_PATH, bookingRecordsRequest } from '#contracts/reconciliation.ts';

/** Serves a context's records of bookings at {@link BOOKING_RECORDS_PATH}, for the reconciliation. */
export function serveBookingRecords(
  app: FastifyInstance,
  read: (bookingIds: readonly string[]) => Promise<object[]>,
): void {
  app.post(BOOKING_RECORDS_PATH, async (request, reply) => {
    const parsed = bookingRecordsRequest.safeParse(request.body);
    if (!parsed.success) {
      return reply.code(400).send({ message: 'bookingIds must be a list of at most 500 ids' });
    }
    return { records: await read(parsed.data.bookingIds) };
  });
}
