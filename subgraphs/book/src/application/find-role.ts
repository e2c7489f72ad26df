import type { Booking } from '../domain/booking.ts';
import type { Role } from '../domain/role.ts';

export interface Principal {
  userId: string;
  isOperator: boolean;
}

/** The principal's role for the booking; null: none, so the booking does not exist for it. */
export function findRole(booking: Booking, { userId, isOperator }: Principal): Role | null {
  if (booking.state.customerId === userId) return 'customer';
  if (booking.state.hostId === userId) return 'host';
  return isOperator ? 'operator' : null;
}
