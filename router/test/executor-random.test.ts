import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, validate } from 'graphql';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { expectSameResult } from './federation/compare.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { randomOperation } from './federation/random-operation.ts';
import { reviewing } from './federation/reviews.ts';

const FIELDS_THAT_FAIL = [
  'User.name',
  'User(u1).email',
  'User(u2).id',
  'User.reviews',
  'User(u3).lastReview',
  'Review(r2).stars',
  'Review(r3).author',
  'Book.title',
  'Book(p1).weight',
  'Film.size',
  'Film(p2).stock',
  'Product(p2).best',
  'Product.rating',
  'Book.author',
  'Query.users',
  'Query.products',
  'Warehouse.capacity',
];

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

const faults = fc.record({
  subgraphs: fc.dictionary(
    fc.constantFrom('accounts', 'catalog', 'inventory', 'reviews'),
    fc.constantFrom('rejects' as const, 'empty' as const, 'refuses' as const),
    { maxKeys: 1 },
  ),
  fields: fc.dictionary(
    fc.constantFrom(...FIELDS_THAT_FAIL),
    fc.constantFrom('throws' as const, 'null' as const),
    { maxKeys: 3 },
  ),
});

test.each([
  ['no faults', fc.constant({}), 40],
  ['faults', faults, 60],
])(
  'both executors have the same result for any operation, with %s',
  async (_name, faults, numRuns) => {
    const { schema } = federation.executor;
    const isValid = (query: string) => validate(schema, parse(query)).length === 0;
    let resultsWithData = 0;
    await fc.assert(
      fc.asyncProperty(
        randomOperation(schema),
        fc.boolean(),
        faults,
        async (query, yes, faults) => {
          fc.pre(isValid(query));
          const { data } = await expectSameResult(federation, query, { yes }, faults, 'lossy');
          if (data) resultsWithData += 1;
        },
      ),
      { numRuns, interruptAfterTimeLimit: 9_000 },
    );
    expect(resultsWithData).toBeGreaterThan(0);
  },
);
