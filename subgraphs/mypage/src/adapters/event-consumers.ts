import { type BookingFacts, bookingEvents } from '#contracts/book.ts';
import { type PaymentFacts, paymentEvents } from '#contracts/payment.ts';
import { type RegistrationFacts, spaceEvents } from '#contracts/space.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { ProjectedEvent } from '../booking-status-view.ts';

/** What mypage takes in: everything that the other contexts tell of a booking. */
export async function consumeEvents(
  consumer: Consumer,
  project: (event: ProjectedEvent) => Promise<void>,
  logger: Logger,
): Promise<void> {
  const options = { concurrency: 8 };

  const take = async (type: string, event: ProjectedEvent): Promise<void> => {
    await project(event);
    logger.info({ event: type, bookingId: event.facts.bookingId }, 'view updated');
  };
  const booking = ({ type, payload, ...event }: ReceivedEvent<BookingFacts>) =>
    take(type, { ...event, of: 'booking', facts: payload });
  const payment = ({ type, payload, ...event }: ReceivedEvent<PaymentFacts>) =>
    take(type, { ...event, of: 'payment', facts: payload });
  const registration = ({ type, payload, ...event }: ReceivedEvent<RegistrationFacts>) =>
    take(type, { ...event, of: 'registration', facts: payload });

  await consumer.take(
    bookingEvents,
    {
      Booked: booking,
      BookingPaid: booking,
      BookingStatusChanged: booking,
      BookingCancelled: booking,
      BookingReleased: booking,
    },
    options,
  );
  await consumer.take(
    paymentEvents,
    {
      PaymentApproved: payment,
      PaymentDeclined: payment,
      PaymentRefundFailed: payment,
      PaymentCancelled: payment,
    },
    options,
  );
  await consumer.take(
    spaceEvents,
    {
      Registered: registration,
      RegistrationRejected: registration,
      RegistrationCancelled: registration,
    },
    options,
  );
}
