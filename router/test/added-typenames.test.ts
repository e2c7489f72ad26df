import { expect, test } from '@jest/globals';
import { buildSchema, parse, print } from 'graphql';
import { addTypenames } from '../src/executor/added-typenames.ts';

const schema = buildSchema(`
  type Query { me: User things: [Thing!] }
  type User { id: ID! name: String }
  type Book { title: String }
  union Thing = User | Book`);

test('a document whose fields all have an unconditional field is returned itself', () => {
  const document = parse('query ($a: Boolean!) { me { id name @include(if: $a) } }');
  expect(addTypenames(document, schema)).toBe(document);
});

test('fragments on a union or interface get __typename beside them, also through a named one', () => {
  const document = parse(
    '{ things { ...T } me { ... on User { id } } } fragment T on Thing { ... on Book { title } }',
  );
  expect(print(addTypenames(document, schema))).toBe(
    print(
      parse(
        '{ things { ...T __typename } me { ... on User { id } } } fragment T on Thing { ... on Book { title } }',
      ),
    ),
  );
});

test('fragments that spread another one twice, many deep, are read once each', () => {
  // Read at each spread, the last one would be read 2^60 times.
  const fragments = Array.from(
    { length: 60 },
    (_, n) => `fragment F${n} on User { ...F${n + 1} ...F${n + 1} }`,
  );
  const document = parse(
    `query ($a: Boolean!) { me { ...F0 } } ${fragments.join(' ')} fragment F60 on User { id @include(if: $a) }`,
  );
  expect(print(addTypenames(document, schema))).toContain('me {\n    ...F0\n    __typename\n  }');
});

test('a field with nothing but fragments on other types gets __typename, so that it is fetched', () => {
  const document = parse('{ me { ... on Thing { ... on Book { title } } } }');
  expect(print(addTypenames(document, schema))).toContain('__typename');
  const applies = parse('{ me { ... on Thing { ... on User { id } } } }');
  expect(addTypenames(applies, schema)).toBe(applies);
});
