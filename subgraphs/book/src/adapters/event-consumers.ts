import { paymentEvents } from '#contracts/payment.ts';
import { type SpacePayload, spaceEvents } from '#contracts/space.ts';
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
import { registrationMoved } from '../application/change-saga.ts';
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
  const storeSpace = async ({ id, version, payload }: ReceivedEvent<SpacePayload>) => {
    const { spaceId, ...listing } = payload;
    await ports.catalogue.store({ ...listing, id: spaceId, version }, id);
    logger.info({ spaceId }, 'space stored in the catalogue');
  };

  await consumer.subscribe(
    paymentEvents,
    {
      PaymentCancelled: ({ id, payload }) => {
        const { bookingId, refunded, goodwill = 0, refundedForChanges = 0 } = payload;
        const others = goodwill + refundedForChanges;
        return paymentCancelled(
          ports,
          { id, bookingId },
          others > 0 ? refunded - others : undefined,
        );
      },
      PaymentRefunded: ({ id, payload: { bookingId, goodwill } }) =>
        paymentRefunded(ports, { id, bookingId }, goodwill ?? 0),
    },
    { concurrency: 4 },
  );
  await consumer.subscribe(
    spaceEvents,
    {
      SpaceListed: storeSpace,
      SpaceChanged: storeSpace,
      Registered: saga(registered),
      RegistrationMoved: ({ id, payload: { bookingId, bookingVersion } }) =>
        registrationMoved(ports, { id, bookingId }, bookingVersion),
      RegistrationRejected: saga(registrationRejected),
      RegistrationCancelled: saga(registrationCancelled),
    },
    { concurrency: 4 },
  );
}
