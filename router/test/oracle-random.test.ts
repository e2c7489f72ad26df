import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomMutations, randomRequest } from './oracle/operations.ts';
import { Oracle, type Request } from './oracle/oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.start();
});
afterAll(() => oracle.stop());

async function expectPlainAnswers(requests: Request[]): Promise<number> {
  const { same, difference } = await oracle.compareAll(requests);
  if (difference) throw new Error(difference);
  return same;
}

/** The smallest operation is found by the oracle, faster than by the library. */
const parameters = { endOnFailure: true, interruptAfterTimeLimit: 20_000 };

test('any query has the answer that a plain schema gives', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(randomRequest(oracle.schema), async (request) => {
      fc.pre(oracle.isComparable(request));
      compared += await expectPlainAnswers([request]);
    }),
    { ...parameters, numRuns: 300 },
  );
  expect(compared).toBeGreaterThan(0);
});

test('any mutations, one after another, have the answers that a plain schema gives', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(randomMutations(oracle.schema), async (requests) => {
      fc.pre(requests.every((request) => oracle.isComparable(request)));
      compared += await expectPlainAnswers(requests);
    }),
    { ...parameters, numRuns: 40 },
  );
  expect(compared).toBeGreaterThan(0);
});
