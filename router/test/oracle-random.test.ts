import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomRequest } from './oracle/operations.ts';
import { Oracle, type Request } from './oracle/oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.start();
});
afterAll(() => oracle.stop());
beforeEach(() => oracle.resetData());

/** Compares the operations one after another, in the data that the ones before have left. */
async function expectPlainAnswers(requests: Request[]): Promise<number> {
  oracle.resetData();
  let compared = 0;
  for (const [index, request] of requests.entries()) {
    const outcome = await oracle.compare(request);
    if (typeof outcome === 'object') {
      throw new Error(await oracle.describe(request, outcome, requests.slice(0, index)));
    }
    if (outcome === 'same') compared += 1;
  }
  return compared;
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
  const mutations = fc.array(randomRequest(oracle.schema, 'mutation'), {
    minLength: 1,
    maxLength: 3,
  });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(mutations, async (requests) => {
      fc.pre(requests.every((request) => oracle.isComparable(request)));
      compared += await expectPlainAnswers(requests);
    }),
    { ...parameters, numRuns: 40 },
  );
  expect(compared).toBeGreaterThan(0);
});
