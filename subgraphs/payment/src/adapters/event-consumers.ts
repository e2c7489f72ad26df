import { type BookingPayload, bookingEvents, changeEvents } from '#contracts/book.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import { cancelPayment } from '../application/cancel-payment.ts';
import { refundChange, releaseChange } from '../application/refund-change.ts';
import type { PaymentPorts } from '../ports.ts';

/** What payment consumes: bookings that are changed, cancelled or released, and changes that are released. */
export async function consumeEvents(consumer: Consumer, ports: PaymentPorts): Promise<void> {
  const cancel = ({ id, payload }: ReceivedEvent<BookingPayload>) =>
    cancelPayment(ports, {
      eventId: id,
      refund: payload.refund.amount,
      booking: {
        bookingId: payload.bookingId,
        customerId: payload.customerId,
        spaceId: payload.spaceId,
        slot: payload.slot,
        amount: payload.price.amount,
        currency: payload.price.currency,
      },
    });

  await consumer.subscribe(
    bookingEvents,
    {
      BookingRescheduled: ({ id, payload: { bookingId, change } }) =>
        change
          ? refundChange(ports, { ...change, eventId: id, bookingId })
          : ports.payments.markProcessed(id),
      BookingCancelled: cancel,
      // The payment of a cancelled booking was cancelled above, a declined one was never charged.
      BookingReleased: (event) =>
        event.payload.status === 'EXPIRED' ? cancel(event) : ports.payments.markProcessed(event.id),
    },
    { concurrency: 4 },
  );
  await consumer.subscribe(
    changeEvents,
    {
      BookingChangeReleased: ({ id, payload }) => releaseChange(ports, { ...payload, eventId: id }),
    },
    { concurrency: 4 },
  );
}
