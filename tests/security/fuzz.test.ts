import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Supergraph } from '@apollo/federation-internals';
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { listSpace, newCustomer } from '../support/customer.ts';
import { rebuildEnded } from '../support/rebuild.ts';
import { describeSystems, type System } from '../support/system.ts';
import { randomShot, type Shot } from './fuzzing/random-requests.ts';
import { judgeOf } from './fuzzing/response-rules.ts';
import { type Seen, send } from './fuzzing/senders.ts';
import { sweep } from './fuzzing/unusual-arguments.ts';

/** `SPACERENT_FUZZ_SECONDS` makes a run longer; Jest's seed, `--seed`, repeats its shots. */
const seconds = Number(process.env.SPACERENT_FUZZ_SECONDS ?? 20);
const HOUR = 3_600_000;
/** So many shots are on their way at a time. */
const VOLLEY = 10;

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
      await kim.viewAt(booking.id, 'REGISTERED');
      const before = processes(system);

      const hour = Math.ceil(Date.now() / HOUR) * HOUR + 100 * 24 * HOUR;
      const known = { spaceId: space.id, bookingId: booking.id, user: kim.name, hour };
      const everything = await system.token(`op-${randomUUID()}`, 'customer', 'host', 'operator');
      const tokens = [kim.token, space.token, everything, everything];
      const seen = await fire(system, randomShot(schema, known, tokens));
      process.stdout.write(
        `fuzz (${system.profile}): seed ${jest.getSeed()}, ${seconds} s, ${JSON.stringify(Object.fromEntries(seen))}\n`,
      );
      // Operators may have begun one, which raises the versions that other tests watch.
      await rebuildEnded(system);
      // Much of it is executed: what admission refuses tries nothing behind it.
      const responses = [...seen].filter(([outcome]) => outcome.startsWith('http '));
      const total = responses.reduce((sum, [, count]) => sum + count, 0);
      expect((seen.get('data alone') ?? 0) / total).toBeGreaterThan(0.1);

      expect(processes(system)).toEqual(before);
      expect((await fetch(`${system.address}/health/ready`)).status).toBe(200);
      const lee = await newCustomer(system);
      const later = await lee.request((await listSpace(system)).id);
      await lee.viewAt(later.booking.id, 'REGISTERED', 60);
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
    const judge = judgeOf(system);
    const wrong: string[] = [];
    let asked = 0;
    const operations = sweep(schema, known);
    const one = async () => {
      for (const { name, query, variables } of operations) {
        asked += 1;
        // A booking of its own for each.
        const body = JSON.stringify({ query, variables }).replaceAll(kim.name, randomUUID());
        const headers: [string, string][] = [
          ['authorization', `Bearer ${token}`],
          ['content-type', 'application/json'],
        ];
        const shot: Shot = { over: 'http', method: 'POST', path: '/graphql', headers, body };
        const answer = await send(system.address, shot);
        const problems = judge(shot, answer);
        if (problems.length > 0) wrong.push(`${name}: ${problems.join('; ')} ${answer.text}`);
      }
    };
    await Promise.all(Array.from({ length: VOLLEY }, one));
    expect(asked).toBeGreaterThan(1_000);
    expect(wrong).toEqual([]);
  }, 120_000);
});

/** Sends random shots until the time is over; fails, with the smallest that it found, when one is answered wrongly. */
async function fire(
  system: System,
  shot: ReturnType<typeof randomShot>,
): Promise<Map<string, number>> {
  const judge = judgeOf(system);
  const counts = new Map<string, number>();
  const property = fc.asyncProperty(
    fc.array(shot, { minLength: 1, maxLength: VOLLEY, size: 'max' }),
    async (shots) => {
      const answers = await Promise.all(shots.map((each) => send(system.address, each)));
      for (const [index, answer] of answers.entries()) {
        const each = shots[index] as (typeof shots)[number];
        for (const outcome of outcomesOf(each, answer)) {
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        }
        const problems = judge(each, answer);
        if (problems.length > 0) {
          throw new Error(`${problems.join('; ')}\n${answer.text}${answer.frames.join('\n')}`);
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

/** For the count of what the shots brought about. */
function outcomesOf({ over }: Shot, { status, close, text, frames }: Seen): string[] {
  const all = [text, ...frames];
  const codes = all.flatMap((each) => /"code":"(\w+)"/.exec(each)?.[1] ?? []);
  const data = all.filter((each) => /"data":\{/.test(each) && !/"errors":/.test(each));
  return [`${over} ${close?.code ?? status}`, ...codes, ...data.map(() => 'data alone')];
}

const processes = (system: System) =>
  Object.entries(system.instance().services).map(([name, { pid }]) => [name, pid]);
