import { type BookingPayload, bookingEvents } from '#contracts/book.ts';
import { type PaymentPayload, paymentEvents } from '#contracts/payment.ts';
import { type RegistrationPayload, type SpacePayload, spaceEvents } from '#contracts/space.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { ProjectedEvent } from '../booking-status-view.ts';
import type { ConsumedEvent } from '../space-view.ts';

/** Consumes all events about bookings, payments, registrations and spaces. */
export async function consumeEvents(
  consumer: Consumer,
  project: (event: ConsumedEvent) => Promise<void>,
  logger: Logger,
): Promise<void> {
  const options = { concurrency: 8 };

  const projectAndLog = async (type: string, event: ProjectedEvent): Promise<void> => {
    await project(event);
    logger.info({ event: type, bookingId: event.payload.bookingId }, 'view updated');
  };
  const booking = ({ type, payload, ...event }: ReceivedEvent<BookingPayload>) =>
    projectAndLog(type, { ...event, aggregate: 'booking', payload });
  const payment = ({ type, payload, ...event }: ReceivedEvent<PaymentPayload>) =>
    projectAndLog(type, { ...event, aggregate: 'payment', payload });
  const registration = ({ type, payload, ...event }: ReceivedEvent<RegistrationPayload>) =>
    projectAndLog(type, { ...event, aggregate: 'registration', payload });
  const space = async ({ type, payload, ...event }: ReceivedEvent<SpacePayload>) => {
    await project({ ...event, aggregate: 'space', payload });
    logger.info({ event: type, spaceId: payload.spaceId }, 'space updated');
  };

  await consumer.subscribe(
    bookingEvents,
    {
      Booked: booking,
      BookingPaid: booking,
      BookingStatusChanged: booking,
      BookingRescheduled: booking,
      BookingCancelled: booking,
      BookingReleased: booking,
    },
    options,
  );
  await consumer.subscribe(
    paymentEvents,
    {
      PaymentApproved: payment,
      PaymentDeclined: payment,
      PaymentAdjusted: payment,
      PaymentRefundFailed: payment,
      PaymentRefunded: payment,
      PaymentCancelled: payment,
    },
    options,
  );
  await consumer.subscribe(
    spaceEvents,
    {
      SpaceListed: space,
      SpaceChanged: space,
      Registered: registration,
      RegistrationRejected: registration,
      RegistrationCancelled: registration,
    },
    options,
  );
}
