import { requirePrincipal } from '#platform/auth/principal.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { roleFor } from '#platform/operator/audit.ts';
import { quoteChange, rescheduleBooking } from '../application/reschedule-booking.ts';
import type { BookingChange, ChangeRequest } from '../domain/booking-change.ts';
import type { AddOnSelection } from '../domain/price-quote.ts';
import type { TimeSlot } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';
import type { VisibleBooking } from './booking-fields.ts';
import { toPriceQuote } from './price-quotes.ts';

/** What a client would change; what is left out stays. */
interface ChangeInput {
  slot?: TimeSlot | null;
  headcount?: number | null;
  addOns?: readonly AddOnSelection[] | null;
}

type RescheduleBookingInput = ChangeInput &
  Pick<ChangeRequest, 'bookingId' | 'idempotencyKey' | 'expectedDifference'>;

/** Changes of bookings: what one would cost, those that were made, and the mutation. */
export function rescheduleResolvers(ports: BookPorts) {
  return {
    Booking: {
      async rescheduleQuote({ booking }: VisibleBooking, input: ChangeInput) {
        const quoted = await quoteChange(ports, booking, toRequested(input));
        if ('type' in quoted) return quoted;
        const { quote, difference, terms, space } = quoted;
        return {
          type: 'RescheduleQuote',
          quote: toPriceQuote(
            quote,
            { refundTiers: terms.refundTiers, timeZone: space.timeZone },
            terms.slot.startAt,
          ),
          difference: { amount: difference, currency: quote.total.currency },
        };
      },
      changes: ({ booking }: VisibleBooking) => ports.changes.list(booking.state.id),
    },

    BookingChange: {
      from: ({ from }: BookingChange) => from.slot,
      to: ({ to }: BookingChange) => to.slot,
      difference: ({ difference, to }: BookingChange) => ({
        amount: difference,
        currency: to.price.currency,
      }),
      settledAt: ({ endedAt }: BookingChange) => endedAt,
    },

    Mutation: {
      async rescheduleBooking(
        _: unknown,
        { input }: { input: RescheduleBookingInput },
        { principal }: SubgraphContext,
      ) {
        const user = requirePrincipal(principal);
        const { idempotencyKey, expectedDifference } = input;
        const bookingId = parseId(input.bookingId, 'input.bookingId');
        const result = await rescheduleBooking(
          ports,
          { bookingId, idempotencyKey, expectedDifference, ...toRequested(input) },
          { userId: user.userId, role: roleFor(user, 'customer') },
        );
        if ('change' in result) {
          const { booking, change } = result;
          const visible = { booking, role: 'customer' };
          return { type: 'RescheduleBookingSuccess', booking: visible, change };
        }
        return result.type === 'PaymentDeclined'
          ? { ...result, booking: { booking: result.booking, role: 'customer' } }
          : result;
      },
    },

    RescheduleQuoteResult: { __resolveType: ({ type }: { type: string }) => type },
    RescheduleBookingResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

/** The change with its input's prototypes removed; null where something is left out. */
function toRequested({ slot, headcount, addOns }: ChangeInput) {
  return {
    slot: slot ? { ...slot } : null,
    headcount: headcount ?? null,
    addOns: addOns?.map((each) => ({ ...each })) ?? null,
  };
}
