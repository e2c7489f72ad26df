import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import {
  CANCEL_BOOKING,
  LIST_SPACE,
  listSpace,
  newCustomer,
  nextSlot,
  REQUEST_BOOKING,
  sql,
} from '../support/customer.ts';
import { waitForRebuild } from '../support/rebuild.ts';
import { describeRouters, until } from '../support/system.ts';

interface Entry {
  id: string;
  at: string;
  userId: string;
  actedAs: string;
  action: string;
  subjectType: string;
  subjectId: string;
  correlationId: string;
  details: string;
}
interface Page {
  edges: { node: Entry }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string };
}
type Context = 'book' | 'payment' | 'space';
const CONTEXTS: Context[] = ['book', 'payment', 'space'];

const query = (
  context: Context,
) => `query ($subjectId: ID, $userId: ID, $first: Int, $after: String) {
  log: ${context}AuditLog(subjectId: $subjectId, userId: $userId, first: $first, after: $after) {
    edges { node { id at userId actedAs action subjectType subjectId correlationId details } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;
const ALL = `{ ${CONTEXTS.map((name) => `${name}AuditLog { edges { cursor } }`).join(' ')} }`;
const DISCARD = (name: string) => `mutation ($eventId: ID!, $reason: String!) {
  discard${name}DeadLetter(eventId: $eventId, reason: $reason) { __typename }
}`;

describeRouters('the audit log', (system) => {
  async function readPage(context: Context, args: object): Promise<Page> {
    const operator = await system.token('olga', 'operator');
    const { data, errors } = await system.graphql(operator, query(context), args);
    expect(errors).toBeUndefined();
    return data.log;
  }
  const entries = async (context: Context, args: object) =>
    (await readPage(context, args)).edges.map(({ node }) => node);
  /** The router replaces the correlation id of a client. */
  const CHOSEN = { 'x-correlation-id': 'chosen-by-a-client' };
  const correlationIdOf = (response: { headers: Headers }) =>
    response.headers.get('x-correlation-id');
  const letters: string[] = [];

  test('the audit log records who listed, requested and cancelled, with the correlation id of the request', async () => {
    const host = `host-${randomUUID()}`;
    const listing = await system.graphql(
      await system.token(host, 'host'),
      LIST_SPACE,
      { input: { name: 'Loft', capacity: 2, hourlyRate: 20_000 } },
      CHOSEN,
    );
    const spaceId: string = listing.data.listSpace.space.id;
    expect(await entries('space', { subjectId: spaceId })).toMatchObject([
      {
        userId: host,
        actedAs: 'HOST',
        action: 'listSpace',
        subjectType: 'space',
        subjectId: spaceId,
        correlationId: correlationIdOf(listing),
      },
    ]);

    const kim = await newCustomer(system);
    const input = { idempotencyKey: 'k', spaceId, slot: nextSlot(), paymentMethod: 'pm_ok' };
    const request = await until('book knows the space', async () => {
      const response = await system.graphql(kim.token, REQUEST_BOOKING, { input }, CHOSEN);
      return response.data.requestBooking.booking ? response : undefined;
    });
    const bookingId: string = request.data.requestBooking.booking.id;
    await kim.waitForStatus(bookingId, 'REGISTERED');
    const hosts = await system.token(host);
    const cancel = await system.graphql(hosts, CANCEL_BOOKING, { id: bookingId }, CHOSEN);
    const [cancelled, requested, ...more] = await entries('book', { subjectId: bookingId });
    expect(more).toEqual([]);
    expect(requested).toMatchObject({
      userId: kim.name,
      actedAs: 'CUSTOMER',
      action: 'requestBooking',
      subjectType: 'booking',
      correlationId: correlationIdOf(request),
    });
    expect(JSON.parse(requested?.details ?? '')).toEqual({
      spaceId,
      price: { amount: 20_000, currency: 'KRW' },
    });
    expect(cancelled).toMatchObject({
      userId: host,
      actedAs: 'HOST',
      action: 'cancelBooking',
      correlationId: correlationIdOf(cancel),
      details: '{"refund":{"amount":20000,"currency":"KRW"}}',
    });
    const at = Date.parse(cancelled?.at ?? '');
    expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
    // The audit log has no entries for what the system does by itself, such as a refund.
    await kim.waitForStatus(bookingId, 'CANCELLED');
    expect(await entries('book', { subjectId: bookingId })).toHaveLength(2);
  });

  test('the audit log records what operators do with the role OPERATOR', async () => {
    const [olga, space] = [`olga-${randomUUID()}`, await listSpace(system)];
    const token = await system.token(olga, 'operator');
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await system.graphql(token, CANCEL_BOOKING, { id: booking.id });
    const input = { name: 'Loft', capacity: 2, hourlyRate: 1 };
    await system.graphql(token, LIST_SPACE, { input });
    const entriesOfOlga = [
      ...(await entries('book', { userId: olga })),
      ...(await entries('space', { userId: olga })),
    ];
    expect(entriesOfOlga.map(({ action, actedAs }) => [action, actedAs])).toEqual([
      ['cancelBooking', 'OPERATOR'],
      ['listSpace', 'OPERATOR'],
    ]);
  });

  test('the audit log records no repeated and no refused request', async () => {
    const space = await listSpace(system);
    const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
    const input = { idempotencyKey: 'once', slot: nextSlot() };
    const { booking } = await kim.request(space.id, input);
    await kim.request(space.id, input);
    expect((await kim.request(space.id, { ...input, headcount: 2 })).__typename).toBe(
      'IdempotencyKeyReused',
    );
    expect((await lee.request(space.id, { slot: input.slot })).__typename).toBe('SlotUnavailable');
    expect((await lee.request(space.id, { headcount: 99 })).__typename).toBe(
      'InvalidBookingRequest',
    );
    expect((await lee.cancel(booking.id)).__typename).toBe('BookingNotFound');
    await Promise.all(Array.from({ length: 5 }, () => kim.cancel(booking.id)));
    await kim.cancel(booking.id);
    const refused = { input: { name: 'Loft', capacity: 0, hourlyRate: 1 } };
    await system.graphql(space.token, LIST_SPACE, refused);
    const actions = async (context: Context, userId: string) =>
      (await entries(context, { userId })).map(({ action }) => action);
    expect(await actions('book', kim.name)).toEqual(['cancelBooking', 'requestBooking']);
    expect(await actions('book', lee.name)).toEqual([]);
    expect(await actions('space', space.host)).toEqual(['listSpace']);
  });

  test('the audit log of each context records who discarded a dead letter', async () => {
    const olga = `olga-${randomUUID()}`;
    const token = await system.token(olga, 'operator');
    for (const context of CONTEXTS) {
      const [eventId, aggregateId] = [uuidv7(), uuidv7()];
      letters.push(eventId);
      const event = {
        id: eventId,
        aggregateId,
        type: 'Tested',
        topic: 'tests',
        version: 1,
        occurredAt: new Date().toISOString(),
        correlationId: 'tests',
        payload: {},
        awaiting: [context],
      };
      await sql(
        system,
        context,
        `WITH parked AS (INSERT INTO inbox (event_id) VALUES ($1))
         INSERT INTO dead_letter (event_id, state, event, failures, error)
         VALUES ($1, 'PARKED', $2, 10, 'poison')`,
        [eventId, JSON.stringify(event)],
      );
      const name = context[0]?.toUpperCase() + context.slice(1);
      const discard = (reason: string) =>
        system.graphql(token, DISCARD(name), { eventId, reason }, CHOSEN);
      const discarded = await discard('a test');
      await discard('again');
      const [entry, ...more] = await entries(context, { subjectId: aggregateId, userId: olga });
      expect(more).toEqual([]);
      expect(entry).toMatchObject({
        userId: olga,
        actedAs: 'OPERATOR',
        action: 'discardDeadLetter',
        subjectType: 'event',
        correlationId: correlationIdOf(discarded),
      });
      expect(JSON.parse(entry?.details ?? '')).toEqual({
        eventId,
        type: 'Tested',
        reason: 'a test',
      });
    }
  });

  afterAll(async () => {
    for (const context of CONTEXTS) {
      const statement = 'DELETE FROM dead_letter WHERE event_id = ANY ($1::uuid[])';
      await sql(system, context, statement, [letters]);
    }
  });

  test('the audit log pages without gaps or duplicates while entries are added', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const request = async () => (await kim.request(space.id)).booking.id as string;
    const before: string[] = [];
    for (let n = 0; n < 5; n += 1) before.unshift(await request());
    const seen: string[] = [];
    let after: string | null = null;
    for (let n = 0; n < 3; n += 1) {
      const { edges, pageInfo }: Page = await readPage('book', {
        userId: kim.name,
        first: 2,
        after,
      });
      expect(pageInfo).toMatchObject({ hasNextPage: n < 2, hasPreviousPage: n > 0 });
      seen.push(...edges.map(({ node }) => node.subjectId));
      after = pageInfo.endCursor;
      await request();
    }
    expect(seen).toEqual(before);
  });

  test('the audit log is readable by operators only', async () => {
    for (const [token, code] of [
      [await system.token('kim', 'customer', 'host'), 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      const { data, errors } = await system.graphql(token, ALL);
      expect(Object.values(data)).toEqual([null, null, null]);
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(Array(3).fill(code));
    }
  });

  test.each(CONTEXTS)(
    'the audit log of %s refuses updates and deletions, also from the database role of its own context',
    async (context) => {
      const change = [
        "UPDATE audit_entry SET user_id = 'nobody'",
        'DELETE FROM audit_entry',
        'TRUNCATE audit_entry',
      ];
      for (const statement of change) {
        await expect(sql(system, context, statement)).rejects.toThrow('append-only');
      }
    },
  );

  test('the log of mypage records which operator began a rebuild', async () => {
    const olga = `olga-${randomUUID()}`;
    const token = await system.token(olga, 'operator');
    await until('a rebuild begins', async () => {
      const { data } = await system.graphql(token, 'mutation { rebuildMyPage { __typename } }');
      return data.rebuildMyPage.__typename === 'RebuildMyPageStarted';
    });
    await until('it is logged', async () =>
      system
        .logOf('mypage')
        .split('\n')
        .some((line) => line.includes('rebuild begun') && line.includes(`"by":"${olga}"`)),
    );
    // Other tests start a rebuild of their own.
    await waitForRebuild(system);
  });
});
