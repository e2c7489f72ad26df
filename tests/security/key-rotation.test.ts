import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { internalRequestSigner, toKeyId } from '#platform/auth/internal-requests.ts';
import { listSpace, newCustomer } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';
import { internalKey, subgraphUrl } from './internal-requests.ts';

/** Fetches from all contexts. */
const BOOKING = `query ($id: ID!) {
  booking(id: $id) { status space { name } payment { status } registration { status } }
  myPage { bookings(first: 3) { edges { node { status } } } }
}`;
const CLIENTS = 3;

describeSystems('the keys of requests between services', (system) => {
  test('no request fails while the keys are replaced in three steps, and the old key is refused afterwards', async () => {
    const old = internalKey(system);
    const fresh = randomBytes(32).toString('base64url');
    const refusedBefore = countRefused(system);
    const load = await startLoad(system);
    await until('bookings', () => load.booked() >= CLIENTS, 60);

    await useKeys(system, [old, fresh]);
    await useKeys(system, [fresh, old]);
    await useKeys(system, [fresh]);

    const before = load.booked();
    await until('bookings with the new key', () => load.booked() >= before + CLIENTS, 60);
    const { failures, lastBooking } = await load.stop();
    expect(failures).toEqual([]);
    // A refused request to payment would only defer the payment of a booking.
    expect(countRefused(system)).toBe(refusedBefore);
    // Its events need requests between all contexts too.
    await lastBooking.customer.waitForView(lastBooking.id, { status: 'REGISTERED' }, 30);
    for (const context of contextNames) {
      expect([context, await statusWith(system, context, old)]).toEqual([context, 401]);
      expect([context, await statusWith(system, context, fresh)]).toEqual([context, 200]);
    }
  }, 120_000);

  test('a file with a key that is too short is not used, and the log says why without it', async () => {
    const current = internalKey(system);
    writeKeys(system, 'too-short-3q9');
    const said = 'must hold keys of at least 32 characters';
    await until('the log', () => system.logOf('space').includes(said), 30);
    expect(await statusWith(system, 'space', current)).toBe(200);
    writeKeys(system, current);
    expect(system.logOf('space')).not.toContain('too-short-3q9');
  });
});

/** How many requests between services the contexts have refused so far. */
function countRefused(system: System): number {
  const logs = contextNames.map((name) => system.logOf(name)).join('');
  return logs.split('a request from outside the system is refused').length - 1;
}

/** Customers who book and read until `stop`. */
async function startLoad(system: System) {
  const { id: spaceId } = await listSpace(system);
  const failures: string[] = [];
  let booked = 0;
  let isOver = false;
  const runClient = async () => {
    const customer = await newCustomer(system);
    let last = '';
    while (!isOver) {
      try {
        const { booking, ...other } = await customer.request(spaceId);
        if (!booking) throw new Error(JSON.stringify(other));
        booked += 1;
        last = booking.id;
        const { status, errors } = await customer.graphql(BOOKING, { id: last });
        if (status !== 200 || errors) failures.push(JSON.stringify({ status, errors }));
      } catch (error) {
        failures.push(String(error));
      }
    }
    return { customer, id: last };
  };
  const clients = Array.from({ length: CLIENTS }, runClient);
  return {
    booked: () => booked,
    async stop() {
      isOver = true;
      const [lastBooking] = await Promise.all(clients);
      return { failures, lastBooking: lastBooking as Awaited<(typeof clients)[number]> };
    },
  };
}

/** Replaces the keys, and resolves when every service uses the new ones. */
async function useKeys(system: System, keys: string[]): Promise<void> {
  writeKeys(system, keys.join());
  const said = `"keys":${JSON.stringify(keys.map(toKeyId))}`;
  for (const service of ['router', ...contextNames]) {
    await until(`${service} uses the keys`, () => system.logOf(service).includes(said), 30);
  }
}

function writeKeys({ home }: System, text: string): void {
  const file = join(home, 'internal-token-key');
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The HTTP status of a request to a context whose token is signed with the key. */
async function statusWith(system: System, context: ContextName, key: string): Promise<number> {
  const response = await fetch(`${subgraphUrl(system, context)}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: await internalRequestSigner('router', [key])(context),
    },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  await response.body?.cancel();
  return response.status;
}
