import type { Body, CancelRecord, Outcome, Records } from './records.ts';
import { type RouterClient, Unknown } from './router-client.ts';

const REQUEST = `mutation Request($input: RequestBookingInput!) {
  requestBooking(input: $input) {
    __typename
    ... on RequestBookingSuccess { booking { id status price { amount } } }
    ... on PaymentDeclined { booking { id } }
    ... on Problem { message }
  }
}`;

const CANCEL = `mutation Cancel($id: ID!) {
  cancelBooking(input: { bookingId: $id }) {
    __typename
    ... on CancelBookingSuccess { booking { id status } refund { amount } }
    ... on BookingNotCancellable { status }
    ... on Problem { message }
  }
}`;

const READ = `query Read {
  myPage { bookings(first: 20) { edges { node { bookingId status version timeline { status } } } } }
}`;

const LIST = `mutation List($input: ListSpaceInput!) {
  listSpace(input: $input) { __typename ... on ListSpaceSuccess { space { id } } }
}`;

/** Asks for a booking and records what was said. */
export async function requestBooking(
  router: RouterClient,
  records: Records,
  customer: string,
  key: string,
  body: Body,
): Promise<Outcome> {
  const { startAt, endAt, ...rest } = body;
  const input = { idempotencyKey: key, slot: { startAt, endAt }, ...rest };
  const outcome = await orUnknown(async (): Promise<Outcome> => {
    type Booking = { id: string; status: string; price: { amount: number } };
    type Answer = { requestBooking: { __typename: string; booking?: Booking } };
    const { requestBooking: answer } = await router.ask<Answer>(customer, REQUEST, { input });
    const { __typename: type, booking } = answer;
    if (type !== 'RequestBookingSuccess' || !booking) {
      return { kind: 'refused', type, bookingId: booking?.id ?? null };
    }
    const { id, status, price } = booking;
    return { kind: 'ok', bookingId: id, status, price: price.amount };
  });
  records.requests.push({ customer, key, body, outcome });
  return outcome;
}

export async function cancelBooking(
  router: RouterClient,
  records: Records,
  customer: string,
  bookingId: string,
): Promise<void> {
  // Noted before the answer: a booking that ends cancelled was asked to.
  const record: CancelRecord = {
    customer,
    bookingId,
    outcome: { kind: 'unknown', reason: 'no answer yet' },
  };
  records.cancels.push(record);
  record.outcome = await orUnknown(async (): Promise<CancelRecord['outcome']> => {
    type Success = { booking?: { status: string }; refund?: { amount: number }; status?: string };
    type Answer = { cancelBooking: { __typename: string } & Success };
    const { cancelBooking: answer } = await router.ask<Answer>(customer, CANCEL, { id: bookingId });
    if (!answer.booking || !answer.refund) {
      return { kind: 'refused', type: answer.__typename, status: answer.status ?? null };
    }
    return { kind: 'ok', status: answer.booking.status, refund: answer.refund.amount };
  });
}

export async function readMyPage(
  router: RouterClient,
  records: Records,
  customer: string,
): Promise<void> {
  await orUnknown(async () => {
    type View = { bookingId: string; status: string; version: number; timeline: unknown[] };
    type Answer = { myPage: { bookings: { edges: { node: View }[] } } };
    const { myPage } = await router.ask<Answer>(customer, READ, {});
    for (const { node } of myPage.bookings.edges) {
      records.seeView(node.bookingId, node.version, node.status);
    }
    return { kind: 'unknown', reason: '' };
  });
}

/** The new space's id; null when nobody knows whether there is one. */
export async function listSpace(
  router: RouterClient,
  host: string,
  name: string,
  hourlyRate: number,
): Promise<string | null> {
  try {
    type Answer = { listSpace: { space?: { id: string } } };
    const input = { name, capacity: 4, hourlyRate };
    const { listSpace: answer } = await router.ask<Answer>(host, LIST, { input });
    return answer.space?.id ?? null;
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

async function orUnknown<T>(
  call: () => Promise<T>,
): Promise<T | { kind: 'unknown'; reason: string }> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Unknown) return { kind: 'unknown', reason: error.message };
    throw error;
  }
}
