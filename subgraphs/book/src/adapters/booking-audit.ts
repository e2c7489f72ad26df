import { type AuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { Booking } from '../domain/booking.ts';
import type { ActingPrincipal } from '../ports.ts';

export const toRequestEntry = (booking: Booking, by: ActingPrincipal): AuditEntry => {
  const { spaceId, price } = booking.state;
  return toEntry(booking, by, 'requestBooking', { spaceId, price });
};

export const toCancelEntry = (booking: Booking, by: ActingPrincipal): AuditEntry =>
  toEntry(booking, by, 'cancelBooking', { refund: booking.state.refund });

function toEntry(
  booking: Booking,
  by: ActingPrincipal,
  action: string,
  details: AuditEntry['details'],
) {
  return newAuditEntry({
    userId: by.userId,
    actedAs: by.role,
    action,
    subjectType: 'booking',
    subjectId: booking.state.id,
    details,
  });
}
