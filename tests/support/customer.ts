import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import pg from 'pg';
import { eventually, type System, until } from './system.ts';

export const LIST_SPACE = `mutation ($input: ListSpaceInput!) {
  listSpace(input: $input) {
    __typename
    ... on ListSpaceSuccess { space { id name } }
    ... on InvalidSpace { field message }
  }
}`;

const BOOKING = `
  id status headcount requestedAt
  price { amount currency } refundQuote { amount } slot { startAt endAt }
  space { id name } payment { status amount { amount } refunded { amount } approvedAt }
  registration { status registeredAt cancelledAt }`;

export const REQUEST_BOOKING = `mutation ($input: RequestBookingInput!) {
  requestBooking(input: $input) {
    __typename
    ... on RequestBookingSuccess { booking { ${BOOKING} } }
    ... on PaymentDeclined { booking { id status } }
    ... on SlotUnavailable { alternatives { startAt endAt } }
    ... on InvalidBookingRequest { field }
    ... on Problem { message }
  }
}`;

export const CANCEL_BOOKING = `mutation ($id: ID!) {
  cancelBooking(input: { bookingId: $id }) {
    __typename
    ... on CancelBookingSuccess { booking { id status } refund { amount currency } }
    ... on BookingNotCancellable { status }
    ... on Problem { message }
  }
}`;

const VIEW = `bookingId status spaceName slot { startAt endAt } price { amount currency }
  paymentStatus refunded { amount currency } registrationStatus timeline { status at }
  version updatedAt`;

const HOUR = 3_600_000;
let slots = 0;

/**
 * A slot of `hours`, at most 12, at least `days` from now, that no other test of this file uses. Twelve
 * hours apart: some hundred slots stay within the year in which a space is booked.
 */
export function nextSlot(days = 30, hours = 1): { startAt: string; endAt: string } {
  const midnight = Math.ceil(Date.now() / (24 * HOUR)) * 24 * HOUR;
  const startAt = midnight + days * 24 * HOUR + slots * 12 * HOUR;
  slots += 1;
  return {
    startAt: new Date(startAt).toISOString(),
    endAt: new Date(startAt + hours * HOUR).toISOString(),
  };
}

/** Lists a space as a new host. Returns its id and the host's token. */
export async function listSpace(system: System, input: object = {}) {
  const host = `host-${randomUUID()}`;
  const token = await system.token(host, 'host');
  const { data, errors } = await system.graphql(token, LIST_SPACE, {
    input: { name: `Space ${randomUUID()}`, capacity: 10, hourlyRate: 20_000, ...input },
  });
  if (errors) throw new Error(JSON.stringify(errors));
  const { id, name } = data.listSpace.space;
  return { id: id as string, name: name as string, host, token };
}

/** A new customer, with the requests that customers send. */
export async function newCustomer(system: System, name = `customer-${randomUUID()}`) {
  const token = await system.token(name, 'customer');
  const graphql = (query: string, variables?: object) => system.graphql(token, query, variables);

  return {
    name,
    token,
    graphql,

    async request(spaceId: string, input: object = {}) {
      const response = await graphql(REQUEST_BOOKING, {
        input: {
          idempotencyKey: randomUUID(),
          spaceId,
          slot: nextSlot(),
          paymentMethod: 'pm_ok',
          ...input,
        },
      });
      if (response.errors) throw new Error(JSON.stringify(response.errors));
      return response.data.requestBooking;
    },

    async cancel(id: string) {
      const response = await graphql(CANCEL_BOOKING, { id });
      if (response.errors) throw new Error(JSON.stringify(response.errors));
      return response.data.cancelBooking;
    },

    async booking(id: string) {
      return (await graphql(`query ($id: ID!) { booking(id: $id) { ${BOOKING} } }`, { id })).data
        .booking;
    },

    async view(id: string) {
      const query = `query ($id: ID!) { myPage { booking(id: $id) { ${VIEW} } } }`;
      return (await graphql(query, { id })).data.myPage.booking;
    },

    /**
     * Waits until mypage shows all of `expected`. A view is projected from events of several contexts,
     * which may overtake each other: a status may be shown before the payment is.
     */
    async waitForView(id: string, expected: object, seconds = 15) {
      await eventually(async () => expect(await this.view(id)).toMatchObject(expected), seconds);
    },

    /** Waits until mypage shows the status, and returns the view. */
    async waitForStatus(id: string, status: string, seconds?: number) {
      return until(
        `mypage shows ${status} for ${id}`,
        async () => {
          const view = await this.view(id);
          return view?.status === status && view;
        },
        seconds,
      );
    },
  };
}

/** Runs one statement on a context's own PostgreSQL database. */
export async function sql(
  system: System,
  context: 'book' | 'payment' | 'space',
  text: string,
  values: unknown[] = [],
  // biome-ignore lint/suspicious/noExplicitAny: rows are what the statement selects
): Promise<any[]> {
  const client = new pg.Client({ connectionString: system.instance().databases[context] });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** What the payment provider has charged and refunded for a booking. */
export async function readProviderLedger(system: System, bookingId: string) {
  const [row] = await sql(
    system,
    'payment',
    `SELECT (SELECT count(*)::int FROM sandbox_charge
              WHERE coalesce(account, key) = $1 AND outcome = 'APPROVED') AS charges,
            (SELECT coalesce(sum(amount), 0)::int FROM sandbox_charge
              WHERE coalesce(account, key) = $1 AND outcome = 'APPROVED') AS charged,
            (SELECT coalesce(sum(amount), 0)::int FROM sandbox_refund WHERE charge_key = $1) AS refunded`,
    [bookingId],
  );
  return row as { charges: number; charged: number; refunded: number };
}
