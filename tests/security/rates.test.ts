import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from '../support/customer.ts';
import { describeSystems, type System } from '../support/system.ts';
import { askOver } from './every-protocol.ts';
import { startOwnRouter } from './own-router.ts';

const LIMIT = 10;

/** So many spaces at once, each under an alias. */
const LIST = (count: number) =>
  `mutation { ${Array.from(
    { length: count },
    (_, n) =>
      `a${n}: listSpace(input: { name: "Space", capacity: 1, hourlyRate: 1 }) { __typename }`,
  ).join(' ')} }`;

describeSystems('mutations of one user, all at once', (system) => {
  let limited: System;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const own = await startOwnRouter(system, 'limited-router', {
      MUTATIONS_PER_MINUTE_PER_USER: String(LIMIT),
      MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
    });
    stop = own.stop;
    limited = own.router;
  });
  afterAll(() => stop());

  test.each([
    ['one by one', 1],
    ['five to a request, by aliases', 5],
    ['four to a request, which do not add up', 4],
  ])('%s, are executed up to the limit, and no more', async (_name, each) => {
    const host = `host-${randomUUID()}`;
    const token = await system.token(host, 'host');
    const over = ['POST', 'Server-Sent Events', 'WebSocket'];
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, n) =>
        askOver(String(over[n % over.length]), limited, { query: LIST(each) }, token),
      ),
    );
    const executed = answers.filter(({ codes }) => codes.length === 0);
    const refused = answers.filter(({ codes }) => codes.join() === 'RATE_LIMITED');
    expect(executed.length).toBe(Math.floor(LIMIT / each));
    expect(executed.length + refused.length).toBe(answers.length);
    const spaces = await sql(system, 'space', 'SELECT FROM space WHERE host_id = $1', [host]);
    expect(spaces).toHaveLength(executed.length * each);
    // Another user is none the worse for it.
    const other = await system.token(`host-${randomUUID()}`, 'host');
    expect((await askOver('POST', limited, { query: LIST(1) }, other)).codes).toEqual([]);
  });

  test('more than the limit in one request is refused as a whole', async () => {
    const host = `host-${randomUUID()}`;
    const token = await system.token(host, 'host');
    await askOver('POST', limited, { query: LIST(9) }, token);
    expect((await askOver('POST', limited, { query: LIST(9) }, token)).codes).toEqual([
      'RATE_LIMITED',
    ]);
    const spaces = await sql(system, 'space', 'SELECT FROM space WHERE host_id = $1', [host]);
    expect(spaces).toHaveLength(9);
  });
});
