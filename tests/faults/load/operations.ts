import type { BookingInput, CancelRecord, Outcome, Records } from './records.ts';
import { type RouterClient, UnknownOutcome } from './router-client.ts';

const REQUEST_BOOKING = `mutation Request($input: RequestBookingInput!) {
  requestBooking(input: $input) {
    __typename
    ... on RequestBookingSuccess { booking { id status price { amount } } }
    ... on PaymentDeclined { booking { id } }
    ... on Problem { message }
  }
}`;

const CANCEL_BOOKING = `mutation Cancel($id: ID!) {
  cancelBooking(input: { bookingId: $id }) {
    __typename
    ... on CancelBookingSuccess { booking { id status } refund { amount } }
    ... on BookingNotCancellable { status }
    ... on Problem { message }
  }
}`;

const MY_PAGE = `query Read {
  myPage { bookings(first: 20) { edges { node { bookingId status version timeline { status } } } } }
}`;

const LIST_SPACE = `mutation List($input: ListSpaceInput!) {
  listSpace(input: $input) { __typename ... on ListSpaceSuccess { space { id } } }
}`;

/** Requests a booking and records the outcome. */
export async function requestBooking(
  router: RouterClient,
  records: Records,
  customer: string,
  key: string,
  booking: BookingInput,
): Promise<Outcome> {
  const { startAt, endAt, ...rest } = booking;
  const input = { idempotencyKey: key, slot: { startAt, endAt }, ...rest };
  const outcome = await orUnknown(async (): Promise<Outcome> => {
    type Booking = { id: string; status: string; price: { amount: number } };
    type Data = { requestBooking: { __typename: string; booking?: Booking } };
    const data = await router.execute<Data>(customer, REQUEST_BOOKING, { input });
    const { __typename: type, booking } = data.requestBooking;
    if (type !== 'RequestBookingSuccess' || !booking) {
      return { kind: 'refused', type, bookingId: booking?.id ?? null };
    }
    const { id, status, price } = booking;
    return { kind: 'ok', bookingId: id, status, price: price.amount };
  });
  records.requests.push({ customer, key, input: booking, outcome });
  if (outcome.kind === 'ok' && outcome.status === 'AWAITING_APPROVAL') {
    records.awaitingApproval.push(outcome.bookingId);
  }
  if (outcome.kind === 'ok' && isPaid(outcome.status)) records.paid.push(outcome.bookingId);
  return outcome;
}

const isPaid = (status: string): boolean => status === 'PAID' || status === 'REGISTERED';

/** Cancels a booking and records the outcome. */
export async function cancelBooking(
  router: RouterClient,
  records: Records,
  customer: string,
  bookingId: string,
): Promise<void> {
  // Recorded before the response: the cancellation may be committed without one.
  const record: CancelRecord = {
    customer,
    bookingId,
    outcome: { kind: 'unknown', reason: 'no response yet' },
  };
  records.cancels.push(record);
  record.outcome = await orUnknown(async (): Promise<CancelRecord['outcome']> => {
    type Success = { booking?: { status: string }; refund?: { amount: number }; status?: string };
    type Data = { cancelBooking: { __typename: string } & Success };
    const data = await router.execute<Data>(customer, CANCEL_BOOKING, { id: bookingId });
    const { __typename: type, booking, refund, status } = data.cancelBooking;
    if (!booking || !refund) return { kind: 'refused', type, status: status ?? null };
    return { kind: 'ok', status: booking.status, refund: refund.amount };
  });
}

/** Reads a customer's views and records what they show. */
export async function readMyPage(
  router: RouterClient,
  records: Records,
  customer: string,
): Promise<void> {
  await orUnknown(async () => {
    type View = { bookingId: string; status: string; version: number; timeline: unknown[] };
    type Data = { myPage: { bookings: { edges: { node: View }[] } } };
    const addView = records.startReading();
    const { myPage } = await router.execute<Data>(customer, MY_PAGE, {});
    for (const { node } of myPage.bookings.edges) {
      addView(node.bookingId, node.version, node.status);
    }
  });
}

interface Listing {
  name: string;
  hourlyRate: number;
  bookingMode?: 'APPROVAL';
  includedHeadcount?: number;
  extraPersonHourlyRate?: number;
}

/** Returns the new space's id; null when the outcome is unknown. */
export async function listSpace(
  router: RouterClient,
  host: string,
  listing: Listing,
): Promise<string | null> {
  const input = { capacity: 4, ...listing };
  const id = await orUnknown(async () => {
    type Data = { listSpace: { space?: { id: string } } };
    const { listSpace } = await router.execute<Data>(host, LIST_SPACE, { input });
    return listSpace.space?.id ?? null;
  });
  return typeof id === 'string' ? id : null;
}

/** The response, or that there is none that says whether the change was made. */
export async function orUnknown<T>(
  request: () => Promise<T>,
): Promise<T | { kind: 'unknown'; reason: string }> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof UnknownOutcome) return { kind: 'unknown', reason: error.message };
    throw error;
  }
}
