import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, validate } from 'graphql';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { randomOperation } from './federation/random-operation.ts';
import { reviewing } from './federation/reviews.ts';

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

/** Names of keys and of required fields, and some that the planner has no reason to select. */
const NAMES = [
  '__typename',
  'id',
  'sku',
  'email',
  'name',
  'weight',
  'size',
  'width',
  'grid',
  'stars',
];

/** The value with its keys renamed, and what then has one key merged. */
function rename(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => rename(each, names));
  if (typeof value !== 'object' || value === null) return value;
  const renamed: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = names.get(key) ?? key;
    renamed[name] = mergeInto(renamed[name], rename(inner, names));
  }
  return renamed;
}

function mergeInto(present: unknown, added: unknown): unknown {
  if (Array.isArray(present) && Array.isArray(added)) {
    return present.map((each, index) => mergeInto(each, added[index]));
  }
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  if (!isObject(present) || !isObject(added)) return added;
  const merged = { ...(present as Record<string, unknown>) };
  for (const [key, value] of Object.entries(added as object))
    merged[key] = mergeInto(merged[key], value);
  return merged;
}

test('the values of any operation do not depend on the names that the client gives them', async () => {
  const { schema } = federation.executor;
  const isValid = (query: string) => validate(schema, parse(query)).length === 0;
  let withOtherNames = 0;
  await fc.assert(
    fc.asyncProperty(
      randomOperation(schema),
      fc.boolean(),
      fc.array(fc.constantFrom(...NAMES), { minLength: 20, maxLength: 20 }),
      async (query, yes, chosen) => {
        const names = new Map(chosen.map((name, index) => [`a${index + 1}`, name]));
        const renamed = query.replace(/\ba(\d+):/g, (alias, n) => {
          const name = names.get(`a${n}`);
          return name ? `${name}:` : alias;
        });
        fc.pre(renamed !== query && isValid(query) && isValid(renamed));
        const plain = await federation.execute('own', query, { yes });
        const own = await federation.execute('own', renamed, { yes });
        expect(own.data).toEqual(rename(plain.data, names));
        const paths = (plain.errors ?? []).map(({ path }) =>
          path?.map((step) => names.get(String(step)) ?? step).join('.'),
        );
        const found = (own.errors ?? []).map(({ path }) => path?.join('.'));
        expect(new Set(found)).toEqual(new Set(paths));
        withOtherNames += 1;
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 9_000 },
  );
  expect(withOtherNames).toBeGreaterThan(0);
});
