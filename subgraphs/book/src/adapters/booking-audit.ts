import { type AuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { Booking } from '../domain/booking.ts';
import type { Actor } from '../ports.ts';

export const requestEntry = (booking: Booking, by: Actor): AuditEntry => {
  const { spaceId, price } = booking.state;
  return entryOf(booking, by, 'requestBooking', { spaceId, price });
};

export const cancelEntry = (booking: Booking, by: Actor): AuditEntry =>
  entryOf(booking, by, 'cancelBooking', { refund: booking.state.refund });

function entryOf(booking: Booking, by: Actor, action: string, details: AuditEntry['details']) {
  return newAuditEntry({
    userId: by.userId,
    actedAs: by.as,
    action,
    subjectType: 'booking',
    subjectId: booking.state.id,
    details,
  });
}
