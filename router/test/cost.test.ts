import { describe, expect, test } from '@jest/globals';
import { buildSchema, parse } from 'graphql';
import { costCompiler } from '../src/admission/cost.ts';
import { readCostRules } from '../src/admission/cost-rules.ts';
import { RequestErrors } from '../src/admission/refusals.ts';
import { openAdmission } from './public-server-fixture.ts';

const SDL = `
  directive @cost(weight: Int!) on ARGUMENT_DEFINITION | FIELD_DEFINITION | OBJECT | SCALAR
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!]) on FIELD_DEFINITION
  scalar Heavy @cost(weight: 3)
  type Query {
    one: Item
    plain: [Item]
    some(first: Int = 20, last: Int, search: String @cost(weight: 7)): [Item!]!
      @listSize(slicingArguments: ["first", "last"])
    many(first: Int): [Item] @listSize(assumedSize: 50, slicingArguments: ["first"])
    page(first: Int = 20): Page! @listSize(slicingArguments: ["first"], sizedFields: ["items"])
    names: [String!] @listSize(assumedSize: 100)
  }
  type Mutation { make: Item  charge: Item @cost(weight: 20) }
  type Page { items: [Item!]! total: Int! }
  interface Named { name: String! }
  type Item implements Named { name: String! heavy: Heavy part: Item parts: [Item] @listSize(assumedSize: 4) costly: Costly }
  type Costly @cost(weight: 9) { name: String! }
`;
const compile = costCompiler(buildSchema(SDL), readCostRules(SDL));

function estimate(query: string, variables: Record<string, unknown> = {}) {
  const document = parse(query);
  const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
  return compile(document, operation as never)(variables);
}

test.each([
  ['objects cost 1, scalars nothing', '{ one { name part { name } } }', 2],
  ['a list without @listSize has 10', '{ plain { name } }', 10],
  ['a list has its assumed size', '{ many { name parts { name } } }', 50 * (1 + 4)],
  ['a list of scalars costs nothing', '{ names }', 0],
  ['a list has the size of its argument', '{ some(first: 3) { part { name } } }', 6],
  ['the default of an argument counts', '{ some { name } }', 20],
  ['null is treated as absent', '{ some(first: null) { name } }', 20],
  ['without a number the assumed size counts', '{ many(first: null) { name } }', 50],
  ['of two arguments the larger counts', '{ some(first: 3, last: 5) { name } }', 5],
  ['a negative size counts as 0', '{ some(first: -5) { name } }', 0],
  ['a page’s size is that of its list', '{ page(first: 7) { total items { part { name } } } }', 15],
  [
    'a list in a fragment of a page has the size of the page',
    '{ page(first: 7) { ...P } } fragment P on Page { ... { items { name } } }',
    8,
  ],
  ['weights of fields and types replace 1', '{ one { heavy costly { name } } }', 1 + 3 + 9],
  [
    'an argument costs once, however long the list',
    '{ some(first: 2, search: "x") { name } }',
    2 + 7,
  ],
  ['a mutation costs 10 more', 'mutation { make { name } charge { name } }', 10 + 1 + 20],
  ['aliases cost each time', '{ a: one { name } b: one { name } }', 2],
  ['fragments cost each time', '{ ...F ...F } fragment F on Query { one { name } }', 2],
  [
    'fragments of other types add up',
    '{ one { ... on Item { part { name } } ... on Named { name } } }',
    2,
  ],
  [
    'skipped fields cost nothing',
    '{ one @skip(if: true) { name } b: one @include(if: false) { name } }',
    0,
  ],
  ['introspection costs nothing', '{ __typename __schema { types { name } } }', 0],
])('the cost of an operation: %s: %s', (_what, query, cost) => {
  expect(estimate(query)).toBe(cost);
});

describe('a variable', () => {
  const query = 'query ($first: Int) { some(first: $first) { name } }';
  const withDefault = 'query ($first: Int = 8) { some(first: $first) { name } }';

  test.each([
    [query, { first: 3 }, 3],
    [query, {}, 20],
    [query, { first: null }, 20],
    [query, { first: 'x' }, 20],
    [query, { first: Number.MAX_VALUE }, Number.MAX_VALUE],
    [query, { __proto__: { first: 3 } }, 20],
    [withDefault, {}, 8],
    [withDefault, { first: 2 }, 2],
    [withDefault, { first: null }, 20],
  ])('the cost of %s with the variables %j is %d', (query, variables, cost) => {
    expect(estimate(query, variables)).toBe(cost);
  });

  test.each([
    ['skip', true, 0],
    ['skip', false, 1],
    ['include', true, 1],
    ['include', false, 0],
  ])('a variable of @%s with the value %s is applied', (directive, value, cost) => {
    const query = `query ($is: Boolean!) { one @${directive}(if: $is) { name } }`;
    expect(estimate(query, { is: value })).toBe(cost);
  });

  test('the default of a variable of @include is applied', () => {
    const query = 'query ($is: Boolean = false) { one @include(if: $is) { name } }';
    expect(estimate(query)).toBe(0);
  });
});

describe('the cost by the router’s own schema', () => {
  const admission = openAdmission();
  const findRefusal = (query: string, variables = {}) => {
    try {
      admission.examine({ query, variables });
      return null;
    } catch (error) {
      if (!(error instanceof RequestErrors)) throw error;
      return error.errors[0];
    }
  };
  const MONEY = '{ amount currency }';
  const SLOT = '{ startAt endAt }';
  const ALL = `query ($first: Int) { myPage { bookings(first: $first) { pageInfo { hasNextPage endCursor } edges { cursor node {
    bookingId status spaceName slot ${SLOT} price ${MONEY} paymentStatus refunded ${MONEY} registrationStatus
    timeline { status at } version updatedAt
    booking { id slot ${SLOT} headcount price ${MONEY} status requestedAt refundQuote ${MONEY}
      payment { id status amount ${MONEY} refunded ${MONEY} approvedAt }
      registration { id status registeredAt cancelledAt }
      space { id name description address timeZone capacity hourlyRate ${MONEY}
        openingHours { day opens closes } refundTiers { daysBefore percent }
        freeSlots(from: "2030-01-01T00:00:00Z", to: "2030-01-02T00:00:00Z") ${SLOT} } } } } } } }`;

  test('a page of 100 bookings with all fields passes', () => {
    expect(findRefusal(ALL, { first: 100 })).toBeNull();
  });

  describe('the terms of spaces', () => {
    const PLAIN = `id name description address timeZone capacity hourlyRate ${MONEY} state bookingMode
      includedHeadcount extraPersonHourlyRate ${MONEY} holidayCountry vatPercent version`;
    const SHOWN = `${PLAIN} amenities photos { url alt }
      priceRules { name days onHolidays from to firstDate lastDate hourlyRate ${MONEY} }
      addOns { id name unit price ${MONEY} maxQuantity }`;
    const EXCEPTIONS = 'openingExceptions { date hours { opens closes } reason }';
    const EVERYTHING = `${SHOWN} ${EXCEPTIONS} openingHours { day opens closes }
      refundTiers { daysBefore percent } bookingRules { stepMinutes minMinutes maxMinutes minNoticeMinutes
        maxAdvanceDays bufferBeforeMinutes bufferAfterMinutes approvalHours }`;
    const pageOf = (first: number, fields: string) =>
      `{ spaces(first: ${first}) { pageInfo { hasNextPage endCursor } edges { cursor node { ${fields} } } } }`;

    test.each([
      ['a page of 20 spaces with photos, add-ons and price rules', pageOf(20, SHOWN)],
      ['a page of 100 spaces without long terms', pageOf(100, PLAIN)],
      ['a space with everything', `{ space(id: "a") { ${EVERYTHING} } }`],
      ['a page of 5 spaces with everything', pageOf(5, EVERYTHING)],
    ])('%s passes', (_what, query) => {
      expect(findRefusal(query)).toBeNull();
    });

    test.each([
      ['everything', EVERYTHING],
      ['the exceptions', EXCEPTIONS],
      ['photos, add-ons and price rules', SHOWN],
    ])('a page of 100 spaces with %s is refused', (_what, fields) => {
      expect(findRefusal(pageOf(100, fields))?.extensions.code).toBe('OPERATION_TOO_COSTLY');
    });
  });

  test('free slots of a month cost 67, and three times those of 100 spaces are refused', () => {
    const slots = `freeSlots(from: "2030-01-01T00:00:00Z", to: "2030-02-01T00:00:00Z") ${SLOT}`;
    const page = `spaces(first: 100) { edges { node { id ${slots} } } }`;
    expect(admission.examine({ query: `{ space(id: "a") { id } }` }).cost).toBe(1);
    expect(admission.examine({ query: `{ space(id: "a") { id ${slots} } }` }).cost).toBe(68);
    expect(findRefusal(`{ ${page} }`)).toBeNull();
    expect(findRefusal(`{ a: ${page} b: ${page} c: ${page} }`)?.extensions.code).toBe(
      'OPERATION_TOO_COSTLY',
    );
  });

  test('a page of 1000 bookings is refused with its cost', () => {
    expect(findRefusal(ALL, { first: 1_000 })).toMatchObject({
      message: expect.stringMatching(/the operation costs \d{5,}, 10000 are allowed/),
      extensions: { code: 'OPERATION_TOO_COSTLY' },
    });
  });

  test('free slots of a hundred spaces pass once, and not three times in one request', () => {
    const range = '(from: "2030-01-01T00:00:00Z", to: "2030-02-01T00:00:00Z")';
    const one = `spaces(first: 100) { edges { node { freeSlots${range} ${SLOT} } } }`;
    expect(findRefusal(`{ ${one} }`)).toBeNull();
    expect(findRefusal(`{ a: ${one} b: ${one} c: ${one} }`)?.extensions.code).toBe(
      'OPERATION_TOO_COSTLY',
    );
  });

  test.each([
    'spaces',
    'bookDeadLetters',
    'paymentDeadLetters',
    'spaceDeadLetters',
    'myPageDeadLetters',
  ])('the size of the list %s is its argument', (list) => {
    const query = `query ($first: Int) { ${list}(first: $first) { edges { cursor } } }`;
    expect(findRefusal(query, { first: 9_999 })).toBeNull();
    expect(findRefusal(query, { first: 10_000 })?.extensions.code).toBe('OPERATION_TOO_COSTLY');
  });

  test('ten bookings in one request pass', () => {
    const one = `requestBooking(input: {idempotencyKey: "a", spaceId: "b", slot: {startAt: "2030-01-01T00:00:00Z", endAt: "2030-01-01T00:00:00Z"}, paymentMethod: "c"}) {
      ... on RequestBookingSuccess { booking { id } } ... on SlotUnavailable { alternatives ${SLOT} } }`;
    const ten = Array.from({ length: 10 }, (_, n) => `a${n}: ${one}`).join(' ');
    expect(findRefusal(`mutation { ${ten} }`)).toBeNull();
  });
});
