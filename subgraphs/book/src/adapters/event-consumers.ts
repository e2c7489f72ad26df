import { paymentEvents } from '#contracts/payment.ts';
import { spaceEvents } from '#contracts/space.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import type { Logger } from '#platform/observability/logger.ts';
import {
  paymentCancelled,
  paymentRefunded,
  registered,
  registrationCancelled,
  registrationRejected,
  type SagaEvent,
} from '../application/booking-saga.ts';
import type { BookPorts } from '../ports.ts';

/** Consumes the catalogue, and the events of payment and space on bookings. */
export async function consumeEvents(
  consumer: Consumer,
  ports: BookPorts,
  logger: Logger,
): Promise<void> {
  const saga =
    (step: (ports: BookPorts, event: SagaEvent) => Promise<void>) =>
    ({ id, payload }: ReceivedEvent<{ bookingId: string }>) =>
      step(ports, { id, bookingId: payload.bookingId });

  await consumer.subscribe(
    paymentEvents,
    {
      PaymentCancelled: saga(paymentCancelled),
      PaymentRefunded: ({ id, payload: { bookingId, goodwill } }) =>
        paymentRefunded(ports, { id, bookingId }, goodwill ?? 0),
    },
    { concurrency: 4 },
  );
  await consumer.subscribe(
    spaceEvents,
    {
      SpaceListed: async ({ id, version, payload: { spaceId, ...listing } }) => {
        await ports.catalogue.store({ ...listing, id: spaceId, version }, id);
        logger.info({ spaceId }, 'space stored in the catalogue');
      },
      Registered: saga(registered),
      RegistrationRejected: saga(registrationRejected),
      RegistrationCancelled: saga(registrationCancelled),
    },
    { concurrency: 4 },
  );
}
