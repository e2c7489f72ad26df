import { expect, test } from '@jest/globals';
import { RequestErrors } from '../src/admission/refusals.ts';
import { toPrincipal } from '../src/identity/claims.ts';
import { openAdmission } from './public-server-fixture.ts';

const SEARCH = 'query ($filter: SpaceFilter) { spaces(filter: $filter) { edges { cursor } } }';

function findRefusal(request: object): Record<string, unknown> | undefined {
  try {
    openAdmission().examine(request);
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
])('a variable with %s is refused, and the error has the path to it', (_name, text) => {
  expect(findRefusal({ query: SEARCH, variables: { filter: { text } } })).toMatchObject({
    code: 'BAD_USER_INPUT',
    field: 'filter.text',
  });
  expect(
    findRefusal({ query: SEARCH, variables: { filter: [{ more: [1, text] }] } }),
  ).toMatchObject({
    field: 'filter[0].more[1]',
  });
});

test.each([['a\\u0000b'], ['a\0b']])('a document with NUL is refused: %j', (text) => {
  const query = `{ spaces(filter: { text: "${text}" }) { edges { cursor } } }`;
  expect(findRefusal({ query })).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test.each([
  '',
  'any text\n\t',
  '공간 😀 👩‍👩‍👧',
  '\u202eright to left',
  '\ufeff\uffff',
  '\u{10ffff}',
])('the string %j is accepted', (text) => {
  expect(findRefusal({ query: SEARCH, variables: { filter: { text } } })).toBeUndefined();
});

test('variables of any depth are checked', () => {
  const deep = JSON.parse(`${'['.repeat(60_000)}"\\u0000"${']'.repeat(60_000)}`);
  const extensions = findRefusal({ query: SEARCH, variables: { filter: deep } });
  expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(String(extensions?.field).length).toBeLessThan(300);
});

test.each(['kim\ud800', 'kim\0'])('a token for the user %j is refused', (sub) => {
  expect(() => toPrincipal({ sub, roles: ['customer'] }, 'roles')).toThrow('whole characters');
});
