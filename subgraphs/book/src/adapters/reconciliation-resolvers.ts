import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { isText } from '#platform/graphql/text.ts';
import { firstIdAt } from '#platform/messaging/archive.ts';
import {
  findContradictions,
  type ReconcileBookingsPorts,
  reconcileBooking,
} from '../application/reconcile-bookings.ts';
import { Booking } from '../domain/booking.ts';

const MAX_REASON_LENGTH = 500;

/** How operators find and end what contradicts after a database was restored to an earlier time. */
export function reconciliationResolvers(ports: ReconcileBookingsPorts) {
  return {
    Query: {
      contradictions(_: unknown, { since, after }: { since: Date; after?: string | null }) {
        const start = after ? parseId(after, 'after') : firstIdAt(since.getTime());
        return findContradictions(ports, start, !after);
      },
    },
    Mutation: {
      async reconcileBooking(
        _: unknown,
        args: { bookingId: string; reason: string },
        { principal }: SubgraphContext,
      ) {
        const { userId } = requirePrincipal(principal);
        const bookingId = parseId(args.bookingId, 'bookingId');
        const reason = args.reason.trim();
        if (reason === '' || reason.length > MAX_REASON_LENGTH || !isText(reason)) {
          throw badInput('reason', `Say why, in at most ${MAX_REASON_LENGTH} characters.`);
        }
        const by = { userId, role: 'operator' } as const;
        const result = await reconcileBooking(ports, bookingId, by, reason);
        return result instanceof Booking
          ? { type: 'ReconcileBookingSuccess', booking: { booking: result, role: 'operator' } }
          : result;
      },
    },
    ReconcileBookingResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}
