import { bookingEvents, changeEvents } from '#contracts/book.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { withCorrelation } from '#platform/observability/correlation.ts';
import type { Booking } from '../domain/booking.ts';
import type { BookingChange } from '../domain/booking-change.ts';
import { eventTypeFor } from '../domain/lifecycle.ts';

/** The one event of a booking's new status, or of the change that was applied to it. */
export function toEvent(booking: Booking, change?: BookingChange): EventRecord {
  const { state } = booking;
  const type = change ? 'BookingRescheduled' : eventTypeFor(state.status);
  // Whatever was charged for a booking that was never paid is refunded.
  const isUnpaidEnd = state.status === 'EXPIRED' || state.status === 'DECLINED';
  // A job acts for no request: its events keep the correlation id of the request that made the booking.
  return withCorrelation(state.correlationId, () =>
    newEvent(type, bookingEvents[type], {
      aggregateId: state.id,
      version: state.version,
      occurredAt: new Date(),
      payload: {
        bookingId: state.id,
        customerId: state.customerId,
        spaceId: state.spaceId,
        spaceName: state.spaceName,
        slot: state.slot,
        price: state.price,
        status: state.status,
        hostId: state.hostId,
        headcount: state.headcount,
        note: state.note,
        requestedAt: state.requestedAt,
        hold: booking.hold,
        decideBefore: booking.awaitsApproval ? state.holdExpiresAt : null,
        refund: isUnpaidEnd ? state.price : (state.refund ?? { ...state.price, amount: 0 }),
        ...(change && { change: { changeId: change.id, difference: change.difference } }),
      },
    }),
  );
}

/** The event of a change that is not applied although its charge may have been made; none where no price changes. */
export function toReleaseEvents(
  { state }: Booking,
  { id: changeId, bookingId, difference }: Pick<BookingChange, 'id' | 'bookingId' | 'difference'>,
): EventRecord[] {
  if (difference === 0) return [];
  const type = 'BookingChangeReleased';
  return withCorrelation(state.correlationId, () => [
    newEvent(type, changeEvents[type], {
      aggregateId: changeId,
      version: 1,
      occurredAt: new Date(),
      payload: { changeId, bookingId, difference },
    }),
  ]);
}
