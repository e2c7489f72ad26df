import type { Booking } from '../domain/booking.ts';
import type { Party } from '../domain/booking-status.ts';

export interface Person {
  userId: string;
  isOperator: boolean;
}

/** What the person is to the booking; null: a stranger, to whom it does not exist. */
export function partyTo(booking: Booking, person: Person): Party | null {
  if (booking.state.customerId === person.userId) return 'customer';
  if (booking.state.hostId === person.userId) return 'host';
  return person.isOperator ? 'operator' : null;
}
