import { bookingEvents } from '#contracts/book.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { withCorrelation } from '#platform/observability/correlation.ts';
import type { Booking } from '../domain/booking.ts';
import type { BookingStatus } from '../domain/booking-status.ts';

/** The one event that tells of a booking's new status. */
export function eventOf(booking: Booking): EventRecord {
  const { state } = booking;
  const type = typeOf(state.status);
  const givenUp = state.status === 'EXPIRED' || state.status === 'DECLINED';
  // A sweeper acts for no request: its events stay with the request that made the booking.
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
        refund: givenUp ? state.price : (state.refund ?? { ...state.price, amount: 0 }),
      },
    }),
  );
}

function typeOf(status: BookingStatus): keyof typeof bookingEvents {
  switch (status) {
    case 'REQUESTED':
      return 'Booked';
    case 'PAID':
      return 'BookingPaid';
    case 'PAYMENT_DEFERRED':
    case 'REGISTERED':
      return 'BookingStatusChanged';
    case 'CANCELLING':
      return 'BookingCancelled';
    case 'CANCELLED':
    case 'DECLINED':
    case 'EXPIRED':
      return 'BookingReleased';
  }
}
