import { describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { RequestErrors } from '../src/admission/refusals.ts';
import { routerConfig } from '../src/config.ts';
import { openGate } from './public-server-fixture.ts';

function refusals(query: string, options: { introspection?: boolean } = {}) {
  try {
    openGate(options).examine({ query });
    return [];
  } catch (error) {
    if (!(error instanceof RequestErrors)) throw error;
    return error.errors.map(({ message, extensions: { code } }) => ({ code, message }));
  }
}

const repeated = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

/** Fragments that spread the next one twice: 2 ^ count times as much as they say. */
const bomb = (count: number, inner: string) =>
  repeated(count, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`) +
  ` fragment F${count} on Query { ${inner} }`;

describe('an operation', () => {
  test.each([
    [
      'is deep',
      'OPERATION_TOO_DEEP',
      `{ __schema { types { ${'fields { type { '.repeat(7)} name ${'} } '.repeat(7)} } } }`,
      /is 17 levels of fields deep; 15 are allowed/,
    ],
    [
      'has many aliases',
      'TOO_MANY_ALIASES',
      `{ myPage { ${repeated(31, (n) => `a${n}: __typename`)} } }`,
      /has 31 aliases and repeated fields; 30 are allowed/,
    ],
    [
      'repeats a field',
      'TOO_MANY_ALIASES',
      `{ myPage { ${repeated(32, () => '__typename')} } }`,
      /has 31 aliases/,
    ],
    [
      'has many directives',
      'TOO_MANY_DIRECTIVES',
      `{ myPage { ${repeated(31, () => '... on MyPage @include(if: true) { __typename }')} } }`,
      /has 31 directives; 30 are allowed/,
    ],
    [
      'has many root fields',
      'TOO_MANY_ROOT_FIELDS',
      `{ ${repeated(11, (n) => `a${n}: __typename`)} }`,
      /has 11 root fields; 10 are allowed/,
    ],
    [
      'has many tokens',
      'TOO_MANY_TOKENS',
      `{ ${repeated(1_000, (n) => `a${n}: __typename`)} }`,
      /more than 2000 tokens/,
    ],
    [
      'multiplies root fields by fragments',
      'TOO_MANY_ROOT_FIELDS',
      `{ ...F0 } ${bomb(100, '__typename')}`,
      /has more than a million root fields/,
    ],
    [
      'multiplies aliases by fragments',
      'TOO_MANY_ALIASES',
      `{ ...F0 } ${bomb(5, 'a: __typename')}`,
      /has 32 aliases/,
    ],
    [
      'multiplies what is to be planned by fragments',
      'TOO_MANY_SELECTIONS',
      `{ myPage { ...F0 } } ${bomb(9, '__typename').replaceAll('on Query', 'on MyPage')}`,
      /selects 1536 fields and fragments; 1000 are allowed/,
    ],
    [
      'has its depth in fragments',
      'OPERATION_TOO_DEEP',
      `{ __schema { types { ...A } } } ${repeated(7, (n) => `fragment ${'ABCDEFGH'[n]} on __Type { fields { type { ...${'ABCDEFGH'[n + 1]} } } }`)} fragment H on __Type { name }`,
      /is 17 levels/,
    ],
  ])('that %s is refused with %s', (_what, code, query, message) => {
    const refused = refusals(query);
    expect(refused).toContainEqual({ code, message: expect.stringMatching(message) });
  });

  test('is named where it has a name, and all that is too much is said at once', () => {
    const query = `query Much { myPage { ${repeated(31, (n) => `a${n}: __typename @skip(if: false)`)} } }`;
    const refused = refusals(query);
    expect(refused.map(({ code }) => code)).toEqual(['TOO_MANY_ALIASES', 'TOO_MANY_DIRECTIVES']);
    expect(refused[0]?.message).toContain('The operation "Much"');
  });

  test('is measured alone: others of the same document are not added', () => {
    const query = repeated(3, (n) => `query Q${n} { ${repeated(10, (n) => `a${n}: __typename`)} }`);
    expect(openGate().examine({ query, operationName: 'Q1' }).rootFields).toBe(10);
  });

  test.each([
    ['with the Sandbox’s options', { inputValueDeprecation: true, directiveIsRepeatable: true }],
    [
      'with all options',
      {
        inputValueDeprecation: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        specifiedByUrl: true,
        oneOf: true,
      },
    ],
  ])('of introspection %s passes', (_what, options) => {
    expect(refusals(getIntrospectionQuery({ ...options, oneOf: false }))).toEqual([]);
  });

  test.each([
    ['spreads itself', '{ ...F } fragment F on Query { ...F }'],
    [
      'spreads itself by others',
      `{ ...F0 } ${repeated(100, (n) => `fragment F${n} on Query { ...F${(n + 1) % 100} ...F${(n + 7) % 100} __typename }`)}`,
    ],
    ['spreads itself, and is not used', '{ __typename } fragment F on Query { ...F }'],
  ])('with a fragment that %s is not valid, and does no harm', (_what, query) => {
    expect(refusals(query)).toEqual([
      {
        code: 'GRAPHQL_VALIDATION_FAILED',
        message: expect.stringMatching(/^Cannot spread fragment "F\d*" within itself/),
      },
    ]);
  });

  test('takes little of the processor to be refused, whatever it is made of', () => {
    const worst = [
      `{ ...F0 } ${bomb(160, 'myPage { __typename }')}`,
      `{ ${'myPage { __typename } '.repeat(390)} }`,
      `{ myPage { ${'bookings { __typename } '.repeat(390)} } }`,
      `{ spaces(filter: ${'{text: '.repeat(600)}""${'}'.repeat(600)}) { __typename } }`,
      `{ spaces(after: ${'['.repeat(900)}${']'.repeat(900)}) { __typename } }`,
      `{${'a{'.repeat(900)}b${'}'.repeat(900)}}`,
      `query (${repeated(300, (n) => `$v${n}: Int`)}) { __typename }`,
    ];
    for (const query of worst) {
      const before = process.cpuUsage();
      expect(refusals(query)).not.toEqual([]);
      const { user, system } = process.cpuUsage(before);
      // Other processes do not count; what grows without bounds takes minutes.
      expect((user + system) / 1_000).toBeLessThan(1_000);
    }
  });
});

describe('where clients may not ask for the schema', () => {
  const closed = { introspection: false };

  test.each(['{ __schema { types { name } } }', '{ __type(name: "Query") { name } }'])(
    '%s is refused',
    (query) => {
      expect(refusals(query, closed)[0]).toMatchObject({
        code: 'GRAPHQL_VALIDATION_FAILED',
        message: expect.stringContaining('introspection'),
      });
      expect(refusals(query)).toEqual([]);
    },
  );

  test('errors do not suggest what there is', () => {
    const query = '{ spacess { edges { cursr } } }';
    expect(JSON.stringify(refusals(query))).toContain('Did you mean');
    expect(refusals(query, closed)[0]?.message).toMatch(/Cannot query field "spacess"/);
    expect(JSON.stringify(refusals(query, closed))).not.toContain('Did you mean');
    expect(refusals('{ __typename }', closed)).toEqual([]);
  });
});

test('documents are examined once, and remembered by their hashes', () => {
  const { documents } = openGate();
  const text = '{ __typename }';
  const first = documents.examine(text);
  expect(documents.examine(text)).toBe(first);
  const hash = '7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b';
  expect(documents.byHash(hash)).toBe(first);
  for (let n = 0; n < 1_000; n += 1) documents.examine(`{ a${n}: __typename }`);
  expect(documents.byHash(hash)).toBeUndefined();
  expect(documents.examine(text)).not.toBe(first);
});

test('the limits are settings', () => {
  const env = {
    SPACERENT_PROFILE: 'embedded',
    AUTH_SECRET: 'x'.repeat(32),
    INTERNAL_TOKEN_KEYS: 'y'.repeat(32),
    BOOK_URL: 'http://a',
    PAYMENT_URL: 'http://a',
    SPACE_URL: 'http://a',
    MYPAGE_URL: 'http://a',
  };
  expect(routerConfig(env)).toMatchObject({
    MAX_OPERATION_DEPTH: 15,
    MAX_OPERATION_ALIASES: 30,
    MAX_OPERATION_DIRECTIVES: 30,
    MAX_ROOT_FIELDS: 10,
    MAX_OPERATION_SELECTIONS: 1_000,
    MAX_OPERATION_TOKENS: 2_000,
    MAX_OPERATION_COST: 10_000,
  });
  expect(() => routerConfig({ ...env, MAX_OPERATION_DEPTH: '0' })).toThrow(/MAX_OPERATION_DEPTH/);
});
