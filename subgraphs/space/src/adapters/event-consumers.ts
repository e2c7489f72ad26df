import { type BookingFacts, bookingEvents } from '#contracts/book.ts';
import { type PaymentFacts, paymentEvents } from '#contracts/payment.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import { RetryLater } from '#platform/messaging/failures.ts';
import { cancelRegistration } from '../application/cancel-registration.ts';
import { registerUse } from '../application/register-use.ts';
import type { ApprovedPayment, PublishedBooking } from '../domain/published-booking.ts';
import type { SpacePorts } from '../ports.ts';

/** What space consumes: approved payments, and the changes of a booking that concern its slot. */
export async function consumeEvents(consumer: Consumer, ports: SpacePorts): Promise<void> {
  const register = async (id: string, cause: PublishedBooking | ApprovedPayment) => {
    if ((await registerUse(ports, cause, id)) === 'contested') {
      throw new RetryLater(`Another registration is in the way of booking ${cause.bookingId}.`);
    }
  };
  const occupy = (event: ReceivedEvent<BookingFacts>) =>
    ports.spaces.occupy(bookingOf(event), event.id);
  const cancel = (event: ReceivedEvent<BookingFacts>) =>
    cancelRegistration(ports, bookingOf(event), event.id);

  await consumer.take(
    paymentEvents,
    { PaymentApproved: ({ id, payload }) => register(id, paymentOf(payload)) },
    { concurrency: 4 },
  );
  await consumer.take(
    bookingEvents,
    {
      Booked: occupy,
      BookingPaid: (event) => register(event.id, bookingOf(event)),
      BookingCancelled: cancel,
      // A cancelled booking's registration went before, a declined one's never came.
      BookingReleased: (event) =>
        event.payload.status === 'EXPIRED' ? cancel(event) : occupy(event),
    },
    { concurrency: 4 },
  );
}

function bookingOf({ version, payload }: ReceivedEvent<BookingFacts>): PublishedBooking {
  const { bookingId, spaceId, slot, status } = payload;
  return { bookingId, spaceId, slot, status, version };
}

function paymentOf({ bookingId, paymentId, spaceId, slot }: PaymentFacts): ApprovedPayment {
  return { bookingId, paymentId, spaceId, slot };
}
