import { expect, test } from '@jest/globals';
import { RequestErrors } from '../src/admission/refusals.ts';
import { viewerOf } from '../src/identity/claims.ts';
import { openGate } from './public-server-fixture.ts';

const SEARCH = 'query ($filter: SpaceFilter) { spaces(filter: $filter) { edges { cursor } } }';

function refused(request: object): Record<string, unknown> | undefined {
  try {
    openGate().examine(request);
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestErrors)) throw error;
    return error.errors[0]?.extensions;
  }
}

test.each([
  ['a NUL', 'a\0b'],
  ['the first half of a surrogate pair', 'a\ud83d'],
  ['the second half', '\ude00 b'],
  ['the halves in the wrong order', '\ude00\ud83d'],
])('a variable that holds %s is refused, and its place is named', (_name, text) => {
  expect(refused({ query: SEARCH, variables: { filter: { text } } })).toMatchObject({
    code: 'BAD_USER_INPUT',
    field: 'filter.text',
  });
  expect(refused({ query: SEARCH, variables: { filter: [{ more: [1, text] }] } })).toMatchObject({
    field: 'filter[0].more[1]',
  });
});

test.each([['a\\u0000b'], ['a\0b']])('a document that holds NUL is refused: %j', (text) => {
  const query = `{ spaces(filter: { text: "${text}" }) { edges { cursor } } }`;
  expect(refused({ query })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test.each([
  '',
  'any text\n\t',
  '공간 😀 👩‍👩‍👧',
  '\u202eright to left',
  '\ufeff\uffff',
  '\u{10ffff}',
])('%j is text', (text) => {
  expect(refused({ query: SEARCH, variables: { filter: { text } } })).toBeUndefined();
});

test('variables may be as deep as a body can be', () => {
  const deep = JSON.parse(`${'['.repeat(60_000)}"\\u0000"${']'.repeat(60_000)}`);
  const extensions = refused({ query: SEARCH, variables: { filter: deep } });
  expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(String(extensions?.field).length).toBeLessThan(300);
});

test.each(['kim\ud800', 'kim\0'])('a token for the user %j names no user', (sub) => {
  expect(() => viewerOf({ sub, roles: ['customer'] }, 'roles')).toThrow('whole characters');
});
