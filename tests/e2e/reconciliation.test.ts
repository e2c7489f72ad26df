import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { internalRequestSigner } from '#platform/auth/internal-requests.ts';
import { internalKey, subgraphUrl } from '../security/internal-requests.ts';
import { listSpace, newCustomer } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';

describeSystems('the reconciliation', (system) => {
  const clients = new Map<string, pg.Client>();

  beforeAll(async () => {
    for (const context of ['book', 'space'] as const) {
      const client = new pg.Client({ connectionString: system.instance().databases[context] });
      await client.connect();
      clients.set(context, client);
    }
  });
  afterAll(async () => {
    await Promise.all([...clients.values()].map((client) => client.end()));
  });

  const query = async (context: 'book' | 'space', sql: string, values: unknown[]) =>
    (await (clients.get(context) as pg.Client).query(sql, values)).rows;
  const violationsOf = async (bookingId: string): Promise<string[]> =>
    (
      await query(
        'book',
        'SELECT invariant FROM invariant_violation WHERE booking_id = $1 ORDER BY invariant',
        [bookingId],
      )
    ).map(({ invariant }) => invariant);

  async function newBooking(): Promise<string> {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForStatus(booking.id, 'REGISTERED');
    return booking.id;
  }

  test('the reconciliation reports a lost registration, and withdraws the report when it is restored', async () => {
    const bookingId = await newBooking();
    const setStatus = (status: string) =>
      query(
        'space',
        'UPDATE registration SET status = $2::registration_status WHERE booking_id = $1',
        [bookingId, status],
      );
    await setStatus('CANCELLED');
    await until(
      'the violation is recorded',
      async () => (await violationsOf(bookingId)).includes('confirmed-is-paid-and-registered'),
      75,
    );
    const invariant = 'confirmed-is-paid-and-registered';
    await until(
      'the metric counts the violation',
      async () => (await readMetric(system, 'spacerent_invariant_violations', invariant)) >= 1,
    );
    expect(system.logOf('book')).toContain('an invariant is violated');
    await setStatus('REGISTERED');
    await until(
      'the violation is removed',
      async () => (await violationsOf(bookingId)).length === 0,
      75,
    );
  }, 240_000);

  test('the reconciliation compares a sound booking and reports nothing', async () => {
    const before = await readMetric(system, 'spacerent_reconciliation_compared_bookings_total');
    const bookingId = await newBooking();
    await until(
      'bookings are compared',
      async () =>
        (await readMetric(system, 'spacerent_reconciliation_compared_bookings_total')) > before,
      75,
    );
    expect(await violationsOf(bookingId)).toEqual([]);
  }, 240_000);
});

/** The value of a metric of book, found by its name and a part of its labels. */
async function readMetric(system: System, name: string, label = ''): Promise<number> {
  const authorize = internalRequestSigner('router', [internalKey(system)]);
  const response = await fetch(`${subgraphUrl(system, 'book')}/metrics`, {
    headers: { authorization: await authorize('book') },
  });
  const line = (await response.text())
    .split('\n')
    .find((each) => each.startsWith(name) && each.includes(label));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}
