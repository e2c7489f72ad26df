import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { expectSameResult } from './federation/compare.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { operations } from './federation/operations.ts';
import { reviewing } from './federation/reviews.ts';

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

for (const [what, cases] of Object.entries(operations)) {
  describe(`operations with ${what}`, () => {
    for (const [name, query, variables] of cases) {
      test(`both executors have the same result for ${what}: ${name}`, async () => {
        const { errors } = await expectSameResult(federation, query, variables);
        // An entity that a subgraph does not know lacks its fields, also those of non-null types.
        expect(
          errors?.filter(({ extensions }) => extensions?.code !== 'INVALID_GRAPHQL') ?? [],
        ).toEqual([]);
      });
    }
  });
}
