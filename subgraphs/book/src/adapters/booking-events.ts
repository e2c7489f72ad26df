import { bookingEvents } from '#contracts/book.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { withCorrelation } from '#platform/observability/correlation.ts';
import type { Booking } from '../domain/booking.ts';
import { eventTypeFor } from '../domain/lifecycle.ts';

/** The one event of a booking's new status. */
export function toEvent(booking: Booking): EventRecord {
  const { state } = booking;
  const type = eventTypeFor(state.status);
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
      },
    }),
  );
}
