import { orUnknown } from './operations.ts';
import type { ChangeInput, Records, RescheduleRecord } from './records.ts';
import type { RouterClient } from './router-client.ts';

const READ_BOOKED = `query Booked($id: ID!) {
  booking(id: $id) { status headcount slot { startAt endAt } }
}`;

const QUOTE = `query Quote($id: ID!, $slot: TimeSlotInput!, $headcount: Int) {
  booking(id: $id) {
    rescheduleQuote(slot: $slot, headcount: $headcount) {
      __typename ... on RescheduleQuote { difference { amount } }
    }
  }
}`;

const RESCHEDULE = `mutation Reschedule($input: RescheduleBookingInput!) {
  rescheduleBooking(input: $input) {
    __typename
    ... on RescheduleBookingSuccess {
      booking { headcount price { amount } }
      change { id state to { startAt endAt } }
    }
    ... on Problem { message }
  }
}`;

/** What is booked now. */
export interface Booked {
  status: string;
  headcount: number;
  slot: { startAt: string; endAt: string };
}

/** Null when it cannot be read now. */
export async function readBooked(
  router: RouterClient,
  customer: string,
  bookingId: string,
): Promise<Booked | null> {
  const booked = await orUnknown(async () => {
    type Data = { booking: Booked | null };
    return (await router.execute<Data>(customer, READ_BOOKED, { id: bookingId })).booking;
  });
  return booked && 'slot' in booked ? booked : null;
}

/** The difference that the change would settle, in minor units; null when the booking cannot be changed so. */
export async function quoteReschedule(
  router: RouterClient,
  customer: string,
  bookingId: string,
  change: { slot: Booked['slot']; headcount: number | null },
): Promise<number | null> {
  const difference = await orUnknown(async () => {
    type Quote = { difference?: { amount: number } };
    type Data = { booking: { rescheduleQuote: Quote } | null };
    const { booking } = await router.execute<Data>(customer, QUOTE, { id: bookingId, ...change });
    return booking?.rescheduleQuote.difference?.amount ?? null;
  });
  return typeof difference === 'number' ? difference : null;
}

/** Reschedules a booking and records the outcome. */
export async function rescheduleBooking(
  router: RouterClient,
  records: Records,
  change: Pick<RescheduleRecord, 'customer' | 'bookingId' | 'key'> & { input: ChangeInput },
): Promise<RescheduleRecord['outcome']> {
  const { customer, bookingId, key: idempotencyKey, input } = change;
  // Recorded before the response: the change may be committed without one.
  const record: RescheduleRecord = {
    ...change,
    outcome: { kind: 'unknown', reason: 'no response yet' },
    sent: records.nextOrdinal(),
    responded: null,
  };
  records.reschedules.push(record);
  record.outcome = await orUnknown(async (): Promise<RescheduleRecord['outcome']> => {
    type Success = {
      booking?: { headcount: number; price: { amount: number } };
      change?: { id: string; state: string; to: { startAt: string; endAt: string } };
    };
    type Data = { rescheduleBooking: { __typename: string } & Success };
    const variables = { input: { bookingId, idempotencyKey, ...input } };
    const data = await router.execute<Data>(customer, RESCHEDULE, variables);
    const { __typename: type, booking, change: made } = data.rescheduleBooking;
    if (!booking || !made) return { kind: 'refused', type };
    const { headcount, price } = booking;
    const { id: changeId, state, to } = made;
    return { kind: 'ok', changeId, state, ...to, headcount, price: price.amount };
  });
  if (record.outcome.kind !== 'unknown') record.responded = records.nextOrdinal();
  return record.outcome;
}
