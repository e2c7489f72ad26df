import { type AuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { Booking } from '../domain/booking.ts';
import type { BookingChange } from '../domain/booking-change.ts';
import type { ActingPrincipal, BookingAction } from '../ports.ts';

export const toRequestEntry = (booking: Booking, by: ActingPrincipal): AuditEntry => {
  const { spaceId, price } = booking.state;
  return toEntry(booking, by, 'requestBooking', { spaceId, price });
};

export const toActionEntry = (
  booking: Booking,
  by: ActingPrincipal,
  action: BookingAction,
): AuditEntry => {
  const { refund, rejectionReason } = booking.state;
  const details = {
    cancelBooking: { refund },
    approveBooking: {},
    rejectBooking: { reason: rejectionReason },
  };
  return toEntry(booking, by, action, details[action]);
};

export const toChangeEntry = (
  booking: Booking,
  { id: changeId, from, to, difference }: BookingChange,
  by: ActingPrincipal,
): AuditEntry =>
  toEntry(booking, by, 'rescheduleBooking', {
    ...{ changeId, difference },
    from: { slot: from.slot, headcount: from.headcount },
    to: { slot: to.slot, headcount: to.headcount },
  });

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
