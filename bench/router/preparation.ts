import { parse } from 'graphql';
import { Executor } from '../../router/src/executor/executor.ts';
import { type Latencies, toLatencies } from '../measurement/latencies.ts';
import type { RunningFederation } from './federation.ts';

/** Until the code of the planner is compiled. */
const WARM_UP = 50;
const OPERATIONS = 200;

/** How long the own executor prepares operations of 100 fields, none of which it has seen before. */
export function measurePreparation({ supergraphSdl, urls }: RunningFederation): Latencies & {
  max: number;
} {
  const noResponse = { send: () => Promise.reject(new Error('nothing is executed')) };
  const subgraphs = Object.fromEntries(Object.keys(urls).map((name) => [name, noResponse]));
  const executor = new Executor<object>({ supergraphSdl, subgraphs });
  const milliseconds: number[] = [];
  for (let n = 0; n < WARM_UP + OPERATIONS; n += 1) {
    const document = parse(hundredFields(n));
    const startedAt = performance.now();
    const prepared = executor.prepare(document);
    if (n >= WARM_UP) milliseconds.push(performance.now() - startedAt);
    if ('errors' in prepared) throw new Error(prepared.errors[0]?.message);
  }
  return { ...toLatencies(milliseconds), max: Math.max(...milliseconds) };
}

/** Ten root fields of ten fields over all subgraphs; each has an alias that needs a correction of the plan. */
function hundredFields(n: number): string {
  const products = Array.from(
    { length: 10 },
    (_, index) => `p${index}: topProducts(first: ${index + 1}) {
      weight: price size${n}: weight upc name inStock shippingEstimate
      reviews { body author { username } }
    }`,
  );
  return `{ ${products.join(' ')} }`;
}
