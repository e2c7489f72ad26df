import { expect, test } from '@jest/globals';
import { parse, print } from 'graphql';
import { toPlannedDocument } from '../src/executor/planned-document.ts';

const names = {
  selected: new Set(['price', 'price_usd']),
  withArguments: new Set<string>(),
  inputs: new Set<string>(),
  hasInterfaceObjects: false,
};

test('names of the plan are distinct where the names of two fields join to the same one', () => {
  const document = parse('{ price: usd_x price_usd: x }');
  const planned = toPlannedDocument(document, names);
  expect([...planned.clientNames.values()].sort()).toEqual(['price', 'price_usd']);
  expect(print(planned.document)).toBe(
    print(parse('{ client_price_usd_x: usd_x client_price_usd_x_: x }')),
  );
});

test('a response name of several fields is renamed where a supergraph has interface objects', () => {
  const document = parse('{ items { ... on A { x: y } ... on B { x z } } }');
  expect(toPlannedDocument(document, names).document).toBe(document);
  const planned = toPlannedDocument(document, { ...names, hasInterfaceObjects: true });
  expect(print(planned.document)).toBe(
    print(parse('{ items { ... on A { client_x_y: y } ... on B { client_x_x: x z } } }')),
  );
});
