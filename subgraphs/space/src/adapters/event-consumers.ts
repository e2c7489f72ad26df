import { type BookingFacts, bookingEvents } from '#contracts/book.ts';
import { paymentEvents } from '#contracts/payment.ts';
import type { Consumer, ReceivedEvent } from '#platform/consume.ts';
import { cancelRegistration } from '../application/cancel-registration.ts';
import { registerUse } from '../application/register-use.ts';
import type { Occupancy, SpacePorts } from '../ports.ts';

/** What space takes in: paid uses to register, bookings that were given up, slots that are held. */
export async function consumeEvents(consumer: Consumer, ports: SpacePorts): Promise<void> {
  await consumer.take(
    paymentEvents,
    {
      PaymentApproved: ({ id, payload: { bookingId, paymentId, spaceId, slot } }) =>
        registerUse(ports, { bookingId, paymentId, spaceId, slot: slotOf(slot) }, id),
    },
    { concurrency: 4 },
  );

  const occupancyOf = (
    { version, payload }: ReceivedEvent<BookingFacts>,
    live: boolean,
  ): Occupancy => ({
    bookingId: payload.bookingId,
    spaceId: payload.spaceId,
    slot: slotOf(payload.slot),
    live,
    version,
  });
  const cancel = ({ id, payload: { bookingId, spaceId, slot } }: ReceivedEvent<BookingFacts>) =>
    cancelRegistration(ports, { bookingId, spaceId, slot: slotOf(slot) }, id);

  await consumer.take(
    bookingEvents,
    {
      Booked: (event) => ports.spaces.occupy(occupancyOf(event, true), event.id),
      BookingCancelled: cancel,
      BookingReleased: async (event) => {
        const occupancy = occupancyOf(event, false);
        // A cancelled booking's registration went before, a declined one's never came.
        if (event.payload.status !== 'EXPIRED') return ports.spaces.occupy(occupancy, event.id);
        await ports.spaces.occupy(occupancy, null);
        await cancel(event);
      },
    },
    { concurrency: 4 },
  );
}

function slotOf(slot: { startAt: string; endAt: string }): { startAt: Date; endAt: Date } {
  return { startAt: new Date(slot.startAt), endAt: new Date(slot.endAt) };
}
