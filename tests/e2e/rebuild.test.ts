import { spawn } from 'node:child_process';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { openPostgres } from '#platform/database/postgres.ts';
import { archiveAcknowledged, firstIdAt } from '#platform/messaging/archive.ts';
import { listSpace, newCustomer } from '../support/customer.ts';
import { silent } from '../support/database.ts';
import { mypageSql } from '../support/mypage-database.ts';
import { waitForRebuild } from '../support/rebuild.ts';
import { describeSystems, type System, until } from '../support/system.ts';

const REBUILD = `id state eventsRead eventsTotal viewsCompared differences differingBookingIds
  startedAt finishedAt message`;
const START = `mutation ($acceptDifferences: Boolean) {
  rebuildMyPage(acceptDifferences: $acceptDifferences) {
    __typename
    ... on RebuildMyPageStarted { rebuild { ${REBUILD} } }
    ... on Problem { message }
  }
}`;
const NEVER = Date.UTC(9000, 0);
const LATEST = `{ myPageRebuild { ${REBUILD} } }`;

describeSystems('the rebuild of mypage', (system) => {
  let operator: string;
  let space: Awaited<ReturnType<typeof listSpace>>;
  let kim: Awaited<ReturnType<typeof newCustomer>>;

  beforeAll(async () => {
    operator = await system.token('an-operator', 'operator');
    space = await listSpace(system);
    kim = await newCustomer(system);
    await waitForRebuild(system);
    await kim.waitForStatus(await book(), 'REGISTERED');
  });

  afterEach(() => waitForRebuild(system));

  async function book(customer = kim): Promise<string> {
    return until('book knows the space', async () => {
      const response = await customer.request(space.id);
      return response.booking?.id;
    });
  }

  async function start(acceptDifferences = false) {
    const { data } = await system.graphql(operator, START, { acceptDifferences });
    return data.rebuildMyPage;
  }

  const latest = async () => (await system.graphql(operator, LATEST)).data.myPageRebuild;

  async function rebuilt(acceptDifferences = false) {
    const { rebuild } = await start(acceptDifferences);
    await waitForRebuild(system);
    const result = await latest();
    expect(result.id).toBe(rebuild.id);
    return result;
  }

  /** Makes bookings, and cancels every other one, until it is stopped. */
  function writeLoad(customers: (typeof kim)[]) {
    let isRunning = true;
    const bookings: { customer: typeof kim; id: string; status: string }[] = [];
    const working = customers.map(async (customer) => {
      while (isRunning) {
        const id = await book(customer);
        const cancels = bookings.length % 2 === 0;
        if (cancels) await customer.cancel(id);
        bookings.push({ customer, id, status: cancels ? 'CANCELLED' : 'REGISTERED' });
      }
    });
    return {
      bookings,
      async stop() {
        isRunning = false;
        await Promise.all(working);
        return bookings;
      },
    };
  }

  test('a rebuild under write load ends without differences, and mypage shows the same views', async () => {
    const customers = await Promise.all([newCustomer(system), newCustomer(system)]);
    const load = writeLoad(customers);
    try {
      await until('bookings are made', async () => load.bookings.length >= 10);
      const before = load.bookings.length;
      const rebuild = await rebuilt();
      expect(rebuild).toMatchObject({
        state: 'SWITCHED',
        differences: 0,
        differingBookingIds: [],
        message: 'The rebuilt read model equals the live one and has taken its place.',
      });
      expect(rebuild.eventsRead).toBeGreaterThan(40);
      expect(rebuild.viewsCompared).toBeGreaterThanOrEqual(before);
      // Bookings continue on the new generation.
      const during = load.bookings.length;
      await until('more bookings are made', async () => load.bookings.length >= during + 6);
    } finally {
      await load.stop();
    }
    for (const { customer, id, status } of load.bookings) await customer.waitForStatus(id, status);
    const views = await Promise.all(load.bookings.map(({ customer, id }) => customer.view(id)));

    // A second rebuild compares these views with the events.
    expect(await rebuilt()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    const again = await Promise.all(load.bookings.map(({ customer, id }) => customer.view(id)));
    expect(again).toEqual(views);

    const id = await book();
    await kim.waitForStatus(id, 'REGISTERED');
    await kim.cancel(id);
    await kim.waitForStatus(id, 'CANCELLED');
  }, 180_000);

  test('a rebuild reports a wrong view, and repairs it when differences are accepted', async () => {
    const [broken, gone] = [await book(), await book()];
    // The booking's own event may be projected before that of its registration.
    for (const id of [broken, gone]) {
      await kim.waitForView(id, {
        status: 'REGISTERED',
        paymentStatus: 'APPROVED',
        registrationStatus: 'REGISTERED',
      });
    }
    const [right, alsoRight] = [await kim.view(broken), await kim.view(gone)];
    await mypageSql(
      system,
      "UPDATE booking_status_view SET status = 'EXPIRED', price_amount = 1 WHERE booking_id = ?",
      [broken],
    );
    await mypageSql(system, 'DELETE FROM booking_status_view WHERE booking_id = ?', [gone]);

    const rebuild = await rebuilt();
    expect(rebuild).toMatchObject({ state: 'DIFFERENT', differences: 2 });
    expect(rebuild.differingBookingIds).toEqual([broken, gone].sort());
    expect(rebuild.message).toContain('Bookings that differ from what the events say: 2.');
    expect(await kim.view(broken)).toMatchObject({ status: 'EXPIRED' });

    expect(await rebuilt(true)).toMatchObject({ state: 'SWITCHED', differences: 2 });
    await until('the repaired view is shown', async () => (await kim.view(gone)) !== null);
    // Its version increases, because subscribers have seen the wrong view with the old version.
    expect(await kim.view(broken)).toEqual({ ...right, version: right.version + 1 });
    expect(await kim.view(gone)).toEqual(alsoRight);
    expect(await rebuilt()).toMatchObject({ state: 'SWITCHED', differences: 0 });
  }, 120_000);

  test('a rebuild reads the events that were moved from the outboxes to the archives', async () => {
    await kim.waitForStatus(await book(), 'REGISTERED');
    for (const context of ['book', 'payment', 'space'] as const) {
      const pool = openPostgres(system.instance().databases[context], silent);
      await until(`all of ${context} is archived`, async () => {
        const range = { after: '00000000-0000-0000-0000-000000000000', before: firstIdAt(NEVER) };
        await archiveAcknowledged(pool, range, 10_000);
        const { rows } = await pool.query('SELECT FROM outbox LIMIT 1');
        return rows.length === 0;
      });
      await pool.end();
    }
    const rebuild = await rebuilt();
    expect(rebuild).toMatchObject({ state: 'SWITCHED', differences: 0 });
    expect(rebuild.eventsRead).toBeGreaterThan(4);
  }, 60_000);

  test('a rebuild adds the hosts and spaces that an earlier release did not store', async () => {
    const id = await book();
    const { slot } = await kim.waitForStatus(id, 'REGISTERED');
    await mypageSql(
      system,
      'UPDATE booking_status_view SET space_id = NULL, host_id = NULL WHERE booking_id = ?',
      [id],
    );
    await mypageSql(system, 'DELETE FROM space_view WHERE space_id = ?', [space.id]);
    const shown = async () => {
      // The space has more bookings than a page.
      const query = `query ($spaceId: ID, $from: DateTime) { hostPage {
        bookings(spaceId: $spaceId, startsFrom: $from) { edges { node { bookingId } } } } }`;
      const variables = { spaceId: space.id, from: slot.startAt };
      const { data } = await system.graphql(space.token, query, variables);
      return data.hostPage.bookings.edges.map(
        ({ node }: { node: { bookingId: string } }) => node.bookingId,
      );
    };
    expect(await shown()).not.toContain(id);
    expect(await rebuilt()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    await until('the host sees the booking', async () => (await shown()).includes(id));
  }, 60_000);

  test('a rebuild is refused while another one is running', async () => {
    const responses = await Promise.all([start(), start(), start()]);
    const names = responses.map((response) => response.__typename).sort();
    expect(names).toEqual([
      'RebuildAlreadyRunning',
      'RebuildAlreadyRunning',
      'RebuildMyPageStarted',
    ]);
    expect(responses.find(({ message }) => message)?.message).toMatch(/rebuilt already/);
  });

  test('a rebuild is for operators only', async () => {
    const host = await system.token('a-host', 'host');
    for (const [token, code] of [
      [kim.token, 'FORBIDDEN'],
      [host, 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      for (const query of [START, LATEST]) {
        const { errors } = await system.graphql(token, query);
        expect(errors?.[0]?.extensions.code).toBe(code);
      }
    }
  });

  test('the command npm run ops -- rebuild runs a rebuild and shows its result', async () => {
    // In the embedded profile the command signs a token itself, with the secret of the data folder.
    const { code, output } = await command(system, system.profile === 'servers' ? operator : '');
    expect(output).toContain('equals the live one and has taken its place');
    expect(output).toMatch(
      /events read \(about [\d,]+ a second\), [\d,]+ views compared, 0 differ/,
    );
    expect(code).toBe(0);
  }, 60_000);

  test('the command npm run rebuild:mypage fails with one sentence for a token without the role', async () => {
    const { code, output } = await command(system, kim.token);
    expect(code).toBe(1);
    expect(output.trim()).toBe('This needs the role "operator".');
  });
});

function command(system: System, token: string): Promise<{ code: number | null; output: string }> {
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, ['scripts/ops.mjs', 'rebuild'], {
    env: { ...inherited, SPACERENT_HOME: system.home, OPERATOR_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}
