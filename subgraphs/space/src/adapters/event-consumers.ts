import {
  type BlockPayload,
  type BookingPayload,
  blockEvents,
  bookingEvents,
} from '#contracts/book.ts';
import { type PaymentPayload, paymentEvents } from '#contracts/payment.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import { RetryLater } from '#platform/messaging/failures.ts';
import { cancelRegistration } from '../application/cancel-registration.ts';
import { moveRegistration } from '../application/move-registration.ts';
import { registerUse } from '../application/register-use.ts';
import type {
  ApprovedPayment,
  PublishedBlock,
  PublishedBooking,
} from '../domain/published-booking.ts';
import type { SpacePorts } from '../ports.ts';

/** Consumes approved payments, and the changes of bookings and blocks that concern their slots. */
export async function consumeEvents(consumer: Consumer, ports: SpacePorts): Promise<void> {
  const register = async (id: string, cause: PublishedBooking | ApprovedPayment) => {
    if ((await registerUse(ports, cause, id)) === 'contested') {
      throw new RetryLater(
        `Another registration has the slot or payment of booking ${cause.bookingId}.`,
      );
    }
  };
  const move = async (event: ReceivedEvent<BookingPayload>) => {
    const booking = toPublishedBooking(event);
    if ((await moveRegistration(ports, booking, event.id)) === 'contested') {
      throw new RetryLater(
        `The registration of booking ${booking.bookingId} cannot move to its new slot yet.`,
      );
    }
  };
  const storeOccupancy = (event: ReceivedEvent<BookingPayload>) =>
    ports.spaces.storeOccupancy(toPublishedBooking(event), event.id);
  const cancel = (event: ReceivedEvent<BookingPayload>) =>
    cancelRegistration(ports, toPublishedBooking(event), event.id);

  await consumer.subscribe(
    paymentEvents,
    { PaymentApproved: ({ id, payload }) => register(id, toApprovedPayment(payload)) },
    { concurrency: 4 },
  );
  await consumer.subscribe(
    bookingEvents,
    {
      Booked: storeOccupancy,
      BookingPaid: (event) => register(event.id, toPublishedBooking(event)),
      BookingRescheduled: move,
      BookingCancelled: cancel,
      // The registration of a cancelled booking is cancelled already, a declined one never had any.
      BookingReleased: (event) =>
        event.payload.status === 'EXPIRED' ? cancel(event) : storeOccupancy(event),
    },
    { concurrency: 4 },
  );
  const storeBlock = (isBlocked: boolean) => (event: ReceivedEvent<BlockPayload>) =>
    ports.spaces.storeOccupancy(toPublishedBlock(event, isBlocked), event.id);
  await consumer.subscribe(
    blockEvents,
    { SlotBlocked: storeBlock(true), SlotUnblocked: storeBlock(false) },
    { concurrency: 1 },
  );
}

function toPublishedBooking({ version, payload }: ReceivedEvent<BookingPayload>): PublishedBooking {
  const { bookingId, spaceId, slot, hold, status } = payload;
  return { bookingId, spaceId, slot, hold, status, version };
}

function toPublishedBlock(
  { version, payload }: ReceivedEvent<BlockPayload>,
  isBlocked: boolean,
): PublishedBlock {
  const { blockId, spaceId, slot } = payload;
  return { blockId, spaceId, slot, isBlocked, version };
}

function toApprovedPayment({
  bookingId,
  paymentId,
  spaceId,
  slot,
}: PaymentPayload): ApprovedPayment {
  return { bookingId, paymentId, spaceId, slot };
}
