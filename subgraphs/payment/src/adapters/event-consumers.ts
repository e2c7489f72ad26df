import { type BookingFacts, bookingEvents } from '#contracts/book.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import { cancelPayment } from '../application/cancel-payment.ts';
import type { PaymentPorts } from '../ports.ts';

/** What payment takes in: bookings that were given up. */
export async function consumeEvents(consumer: Consumer, ports: PaymentPorts): Promise<void> {
  const giveBack = ({ id, payload }: ReceivedEvent<BookingFacts>) =>
    cancelPayment(ports, {
      eventId: id,
      refund: payload.refund.amount,
      request: {
        bookingId: payload.bookingId,
        customerId: payload.customerId,
        spaceId: payload.spaceId,
        slot: payload.slot,
        amount: payload.price.amount,
        currency: payload.price.currency,
        paymentMethod: '',
      },
    });

  await consumer.take(
    bookingEvents,
    {
      BookingCancelled: giveBack,
      // A cancelled booking was given back above, a declined one was never paid.
      BookingReleased: (event) =>
        event.payload.status === 'EXPIRED' ? giveBack(event) : ports.payments.take(event.id),
    },
    { concurrency: 4 },
  );
}
