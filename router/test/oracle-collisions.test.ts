import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Case, collisions, mutations, plans } from './oracle/collisions.ts';
import { Oracle } from './oracle/oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.start();
});
afterAll(() => oracle.stop());
beforeEach(() => oracle.resetData());

async function expectPlainAnswer([, text]: Case): Promise<void> {
  const uses = (name: string) => text.includes(`$${name}`);
  const definitions = ['yes', 'no'].filter(uses).map((name) => `$${name}: Boolean!`);
  const query = definitions.length > 0 ? `query (${definitions.join(', ')}) ${text}` : text;
  const request = { query, variables: { yes: true, no: false } };
  expect(oracle.findProblems(query)).toEqual([]);
  const outcome = await oracle.compare(request);
  if (typeof outcome === 'object') expect(outcome.found).toBe(outcome.expected);
  expect(outcome).toBe('same');
}

describe('an alias with the name of another field leaves every value right: the name of', () => {
  test.each(collisions)('%s', (...each) => expectPlainAnswer(each));
});

describe('an alias in a mutation leaves every value right: the name of', () => {
  test.each(mutations)('%s', (...each) => expectPlainAnswer(each));
});

describe('an operation has the answer of a plain schema, with', () => {
  test.each(plans)('%s', (...each) => expectPlainAnswer(each));
});

test('an operation whose plan would compute a field without its inputs is refused', async () => {
  const query = '{ stocked { ... on Crate { insurance } } }';
  expect(await oracle.compare({ query, variables: {} })).toBe('refused');
  // The object of another subgraph gets the inputs first.
  expect(await oracle.compare({ query: '{ crates { insurance } }', variables: {} })).toBe('same');
});
