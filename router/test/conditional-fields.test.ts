import { expect, test } from '@jest/globals';
import { parse, print } from 'graphql';
import { keepConditionalFields } from '../src/executor/conditional-fields.ts';

test('a document whose fields all have an unconditional field is returned itself', () => {
  const document = parse('query ($a: Boolean!) { me { id name @include(if: $a) } }');
  expect(keepConditionalFields(document)).toBe(document);
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
  expect(print(keepConditionalFields(document))).toContain('me {\n    ...F0\n    __typename\n  }');
});
