import type { Booking } from '../domain/booking.ts';
import type { Role } from '../domain/role.ts';
import type { ActingPrincipal } from '../ports.ts';

/** A principal as far as the role for a booking depends on it. */
export interface BookingPrincipal {
  userId: string;
  isOperator: boolean;
}

/** The principal's role for the booking; null: none, so the booking does not exist for it. */
export function findRole(booking: Booking, { userId, isOperator }: BookingPrincipal): Role | null {
  if (booking.state.customerId === userId) return 'customer';
  if (booking.state.hostId === userId) return 'host';
  return isOperator ? 'operator' : null;
}

/**
 * The principal as one who may act for the host: the host, also where it is the customer as well, or an
 * operator; null: neither.
 */
export function asHost(
  { userId, isOperator }: BookingPrincipal,
  hostId: string,
): (ActingPrincipal & { role: 'host' | 'operator' }) | null {
  if (userId === hostId) return { userId, role: 'host' };
  return isOperator ? { userId, role: 'operator' } : null;
}
