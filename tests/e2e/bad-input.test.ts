import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot, REQUEST_BOOKING, sql } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const hour = (offset: number) => new Date(Date.now() + offset * 3_600_000).toISOString();

describeRouters('input that is not valid', (system) => {
  test.each([
    ['a slot in the past', { slot: { startAt: hour(-2), endAt: hour(-1) } }, 'slot.startAt'],
    ['a reversed slot', { slot: { startAt: hour(5), endAt: hour(4) } }, 'slot.endAt'],
    [
      'an empty slot',
      { slot: { startAt: '2030-01-01T00:00:00Z', endAt: '2030-01-01T00:00:00Z' } },
      'slot.endAt',
    ],
    ['a slot of 32 days', { slot: nextSlot(30, 32 * 24) }, 'slot'],
    ['no heads', { headcount: 0 }, 'headcount'],
    ['negative heads', { headcount: -1 }, 'headcount'],
    ['too many heads', { headcount: 11 }, 'headcount'],
    ['an empty idempotency key', { idempotencyKey: ' ' }, 'idempotencyKey'],
    ['no payment method', { paymentMethod: '' }, 'paymentMethod'],
  ])(
    'a booking request with %s is refused with the name of the field, and nothing is written',
    async (_name, input, field) => {
      const space = await listSpace(system);
      const kim = await newCustomer(system);
      const response = await kim.request(space.id, input);
      expect(response).toMatchObject({ __typename: 'InvalidBookingRequest', field });
      const rows = await sql(system, 'book', 'SELECT FROM booking WHERE customer_id = $1', [
        kim.name,
      ]);
      expect(rows).toHaveLength(0);
    },
  );

  test('a booking whose price exceeds the Int of GraphQL is refused', async () => {
    const space = await listSpace(system, { hourlyRate: 2_147_483_647 });
    const kim = await newCustomer(system);
    expect(await kim.request(space.id, { slot: nextSlot(30, 2) })).toMatchObject({
      __typename: 'InvalidBookingRequest',
      field: 'slot',
    });
  });

  test('a booking request for an unknown space is refused with SpaceNotFound', async () => {
    const kim = await newCustomer(system);
    const response = await kim.request('01890000-0000-7000-8000-000000000000');
    expect(response.__typename).toBe('SpaceNotFound');
  });

  test.each([
    ['an id that is no UUID', '{ space(id: "7") { id } }', 'id'],
    [
      'an instant without an offset',
      '{ space(id: "01890000-0000-7000-8000-000000000000") { freeSlots(from: "2030-01-01T00:00:00", to: "2030-01-02T00:00:00Z") { startAt } } }',
      undefined,
    ],
    [
      '30 February',
      '{ space(id: "01890000-0000-7000-8000-000000000000") { freeSlots(from: "2030-02-30T00:00:00Z", to: "2030-03-02T00:00:00Z") { startAt } } }',
      undefined,
    ],
    [
      'an instant that is a number',
      '{ spaces(filter: {freeDuring: {startAt: 5, endAt: 6}}) { edges { cursor } } }',
      undefined,
    ],
    [
      'a date that is not in the calendar',
      'mutation { updateSpace(input: {spaceId: "01890000-0000-7000-8000-000000000000", expectedVersion: 1, openingExceptions: [{date: "2031-02-30", hours: []}]}) { __typename } }',
      undefined,
    ],
    ['a page of 0 items', '{ spaces(first: 0) { edges { cursor } } }', 'first'],
    ['a page of 101', '{ spaces(first: 101) { edges { cursor } } }', 'first'],
    ['an invented cursor', '{ spaces(after: "abc") { edges { cursor } } }', 'after'],
    [
      'a reversed range',
      '{ spaces(filter: {freeDuring: {startAt: "2030-01-02T00:00:00Z", endAt: "2030-01-01T00:00:00Z"}}) { edges { cursor } } }',
      'filter.freeDuring.endAt',
    ],
  ])(
    'a request with %s fails with the code and the field of the error',
    async (_name, query, field) => {
      const { errors } = await system.graphql(null, query);
      const [error] = errors ?? [];
      expect(['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED']).toContain(error?.extensions.code);
      if (field) expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
      expect(JSON.stringify(errors)).not.toMatch(/stack|node_modules|\.ts:/);
    },
  );

  test.each([
    ['freeSlots of more than 31 days', '2030-01-01T00:00:00Z', '2030-02-02T00:00:00Z'],
    ['freeSlots of a reversed range', '2030-01-02T00:00:00Z', '2030-01-01T00:00:00Z'],
  ])('a query for %s fails with the name of the argument', async (_name, from, to) => {
    const { id } = await listSpace(system);
    const query = `{ space(id: "${id}") { freeSlots(from: "${from}", to: "${to}") { startAt } } }`;
    const { errors } = await system.graphql(null, query);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'to' });
  });

  test('a malformed instant in the variables fails with a message that quotes the value', async () => {
    const kim = await newCustomer(system);
    const { errors } = await kim.graphql(
      'query ($from: DateTime!) { space(id: "01890000-0000-7000-8000-000000000000") { freeSlots(from: $from, to: $from) { startAt } } }',
      { from: 'tomorrow' },
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toContain('"tomorrow"');
  });

  test('a page of a million spaces is refused as too costly', async () => {
    const { errors } = await system.graphql(
      null,
      '{ spaces(first: 1000000) { edges { cursor } } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('OPERATION_TOO_COSTLY');
  });

  test.each(['{"query": ', 'plain text', '[]', '""'])(
    'a request with the body %s fails with status 400',
    async (body) => {
      const response = await fetch(system.instance().graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(response.status).toBe(400);
      expect(await response.text()).not.toMatch(/stack|node_modules/);
    },
  );

  test.each([
    ['a NUL', '\u0000'],
    ['half of a surrogate pair', '\ud800'],
  ])('text with %s is refused before it reaches the database', async (_name, character) => {
    const kim = await newCustomer(system);
    const text = `pm${character}ok`;
    const input = {
      idempotencyKey: randomUUID(),
      spaceId: randomUUID(),
      slot: nextSlot(),
      paymentMethod: text,
    };
    const response = await kim.graphql(REQUEST_BOOKING, { input });
    expect(response.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'input.paymentMethod' } },
    ]);
    const search = await system.graphql(
      null,
      `query ($text: String) { spaces(filter: { text: $text }) { edges { cursor } } }`,
      { text },
    );
    expect(search.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'text' });
  });

  test('text with a NUL is refused in the document, too', async () => {
    const { errors } = await system.graphql(
      null,
      String.raw`{ spaces(filter: { text: "a\u0000" }) { edges { cursor } } }`,
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});
