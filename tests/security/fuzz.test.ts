import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Supergraph } from '@apollo/federation-internals';
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { listSpace, newCustomer } from '../support/customer.ts';
import { waitForRebuild } from '../support/rebuild.ts';
import { describeSystems, type System } from '../support/system.ts';
import { type RandomRequest, randomRequest } from './fuzzing/random-requests.ts';
import { responseChecker } from './fuzzing/response-rules.ts';
import { type Received, send } from './fuzzing/senders.ts';
import { unusualOperations } from './fuzzing/unusual-arguments.ts';

/** `SPACERENT_FUZZ_SECONDS` makes a run longer; Jest's seed, `--seed`, repeats its requests. */
const seconds = Number(process.env.SPACERENT_FUZZ_SECONDS ?? 20);
const HOUR = 3_600_000;
/** The number of concurrent requests. */
const CONCURRENCY = 10;

const schema = Supergraph.build(readFileSync('router/supergraph.graphql', 'utf8'))
  .apiSchema()
  .toGraphQLJSSchema();

describeSystems('random input', (system) => {
  test(
    'the system responds correctly to random requests and works afterwards',
    async () => {
      const space = await listSpace(system);
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id);
      await kim.waitForStatus(booking.id, 'REGISTERED');
      const before = processes(system);

      const hour = Math.ceil(Date.now() / HOUR) * HOUR + 100 * 24 * HOUR;
      const known = { spaceId: space.id, bookingId: booking.id, user: kim.name, hour };
      const everything = await system.token(`op-${randomUUID()}`, 'customer', 'host', 'operator');
      const tokens = [kim.token, space.token, everything, everything];
      const outcomes = await sendRandomRequests(system, randomRequest(schema, known, tokens));
      process.stdout.write(
        `fuzz (${system.profile}): seed ${jest.getSeed()}, ${seconds} s, ${JSON.stringify(Object.fromEntries(outcomes))}\n`,
      );
      // A random request may have started a rebuild, which changes versions that other tests read.
      await waitForRebuild(system);
      // Enough requests must pass admission, or nothing behind it is tested.
      const responses = [...outcomes].filter(([outcome]) => outcome.startsWith('http '));
      const total = responses.reduce((sum, [, count]) => sum + count, 0);
      expect((outcomes.get('data alone') ?? 0) / total).toBeGreaterThan(0.1);

      expect(processes(system)).toEqual(before);
      expect((await fetch(`${system.address}/health/ready`)).status).toBe(200);
      const lee = await newCustomer(system);
      const later = await lee.request((await listSpace(system)).id);
      await lee.waitForStatus(later.booking.id, 'REGISTERED', 60);
    },
    (seconds + 150) * 1_000,
  );
});

describeSystems('each argument with each unusual value', (system) => {
  test('the system responds correctly to each unusual value of each argument', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    const token = await system.token(kim.name, 'customer', 'host', 'operator');
    const hour = Math.ceil(Date.now() / HOUR) * HOUR + 200 * 24 * HOUR;
    const known = { spaceId: space.id, bookingId: booking.id, user: kim.name, hour };
    const problemsIn = responseChecker(system);
    const wrong: string[] = [];
    let sent = 0;
    const operations = unusualOperations(schema, known);
    const sendAll = async () => {
      for (const { name, query, variables } of operations) {
        sent += 1;
        // Each request gets an idempotency key of its own.
        const body = JSON.stringify({ query, variables }).replaceAll(kim.name, randomUUID());
        const headers: [string, string][] = [
          ['authorization', `Bearer ${token}`],
          ['content-type', 'application/json'],
        ];
        const request: RandomRequest = {
          over: 'http',
          method: 'POST',
          path: '/graphql',
          headers,
          body,
        };
        const response = await send(system.address, request);
        const problems = problemsIn(request, response);
        if (problems.length > 0) wrong.push(`${name}: ${problems.join('; ')} ${response.text}`);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, sendAll));
    expect(sent).toBeGreaterThan(1_000);
    expect(wrong).toEqual([]);
  }, 300_000);
});

/** Sends random requests until the time is over; a wrong response fails with the smallest requests that cause it. */
async function sendRandomRequests(
  system: System,
  request: ReturnType<typeof randomRequest>,
): Promise<Map<string, number>> {
  const problemsIn = responseChecker(system);
  const counts = new Map<string, number>();
  const property = fc.asyncProperty(
    fc.array(request, { minLength: 1, maxLength: CONCURRENCY, size: 'max' }),
    async (requests) => {
      const responses = await Promise.all(requests.map((each) => send(system.address, each)));
      for (const [index, response] of responses.entries()) {
        const each = requests[index] as (typeof requests)[number];
        for (const outcome of toOutcomes(each, response)) {
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        }
        const problems = problemsIn(each, response);
        if (problems.length > 0) {
          throw new Error(`${problems.join('; ')}\n${response.text}${response.frames.join('\n')}`);
        }
      }
    },
  );
  await fc.assert(property, {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: seconds * 1_000,
    markInterruptAsFailure: false,
  });
  return counts;
}

/** The kinds of outcome that are counted. */
function toOutcomes({ over }: RandomRequest, { status, close, text, frames }: Received): string[] {
  const all = [text, ...frames];
  const codes = all.flatMap((each) => /"code":"(\w+)"/.exec(each)?.[1] ?? []);
  const data = all.filter((each) => /"data":\{/.test(each) && !/"errors":/.test(each));
  return [`${over} ${close?.code ?? status}`, ...codes, ...data.map(() => 'data alone')];
}

const processes = (system: System) =>
  Object.entries(system.instance().services).map(([name, { pid }]) => [name, pid]);
