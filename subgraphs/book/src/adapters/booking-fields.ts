import type { Principal } from '#platform/auth/principal.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { type BookingPrincipal, findRole } from '../application/find-role.ts';
import type { Booking } from '../domain/booking.ts';
import type { Role } from '../domain/role.ts';
import type { BookPorts } from '../ports.ts';
import { toPriceLines } from './price-quotes.ts';

/** A booking, and the role in which the principal sees it. */
export interface VisibleBooking {
  booking: Booking;
  role: Role;
}

/** The fields of a booking. */
export function bookingFields(ports: BookPorts) {
  return {
    __resolveReference: ({ id }: { id: string }, { principal }: SubgraphContext) =>
      principal ? findVisibleBooking(ports, id, principal) : null,
    id: ({ booking }: VisibleBooking) => booking.state.id,
    space: ({ booking }: VisibleBooking) => ({ id: booking.state.spaceId }),
    slot: ({ booking }: VisibleBooking) => booking.state.slot,
    headcount: ({ booking }: VisibleBooking) => booking.state.headcount,
    price: ({ booking }: VisibleBooking) => booking.state.price,
    priceLines: ({ booking: { state } }: VisibleBooking) =>
      toPriceLines(state.priceLines, state.price.currency),
    vat: ({ booking }: VisibleBooking) => booking.state.vat,
    status: ({ booking }: VisibleBooking) => booking.state.status,
    requestedAt: ({ booking }: VisibleBooking) => booking.state.requestedAt,
    holdExpiresAt: ({ booking }: VisibleBooking) =>
      booking.isExpiring ? booking.state.holdExpiresAt : null,
    note: ({ booking }: VisibleBooking) => booking.state.note,
    rejectionReason: ({ booking }: VisibleBooking) => booking.state.rejectionReason,
    refundQuote: ({ booking, role }: VisibleBooking) => booking.quoteRefund(role, ports.clock()),
    refundSchedule: ({ booking, role }: VisibleBooking) => booking.refundSchedule(role),
  };
}

/** The booking, in the principal's role for it; null: it does not exist for the principal. */
export async function findVisibleBooking(
  ports: BookPorts,
  id: string,
  principal: Principal,
): Promise<VisibleBooking | null> {
  const booking = await ports.bookings.find(id);
  const role = booking && findRole(booking, toBookingPrincipal(principal));
  return booking && role ? { booking, role } : null;
}

export function toBookingPrincipal({ userId, roles }: Principal): BookingPrincipal {
  return { userId, isOperator: roles.includes('operator') };
}
