import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from './support/customer.ts';
import { describeSystems, type System, until } from './support/system.ts';

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

/** Runs an example as a reader does; `output` grows while it runs. */
function run(system: System, name: string, settings: Record<string, string>) {
  // Jest's own options are not for the programs that it starts.
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, [`examples/${name}.mjs`], {
    env: { ...inherited, SPACERENT_URL: system.graphqlUrl, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const example = {
    output: '',
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      example.output += chunk;
    });
  }
  return example;
}

describeSystems('the examples', (system) => {
  /** A customer, and a space that can be booked: book processes the event of its listing a moment later. */
  async function prepare() {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const query = `query ($id: ID!, $from: DateTime!, $to: DateTime!) {
      space(id: $id) { freeSlots(from: $from, to: $to) { startAt } }
    }`;
    const from = new Date(Date.now() + 86_400_000);
    const to = new Date(from.getTime() + 86_400_000);
    await until('the space can be booked', async () => {
      const { data } = await system.graphql(kim.token, query, { id: space.id, from, to });
      return data?.space?.freeSlots?.length > 0;
    });
    return { space, kim, settings: { TOKEN: kim.token, SPACE_ID: space.id } };
  }

  test('first-booking books an hour, shows it as registered, and is refunded', async () => {
    const { settings, space } = await prepare();
    const example = run(system, 'first-booking', settings);
    const code = await example.ended;
    expect(`${example.output}code ${code}`).toMatch(/code 0$/);
    expect(example.output).toMatch(
      new RegExp(
        `^Booked ${space.name} .*: PAID, 20000 KRW\n.* REQUESTED\n.* PAID\n.* REGISTERED\n`,
      ),
    );
    expect(example.output).toMatch(/Cancelled: \d+ KRW are refunded\n$/);
  }, 60_000);

  test.each(['watch-websocket', 'watch-sse', 'watch-multipart'])(
    '%s prints every change of a booking',
    async (name) => {
      const { settings, space, kim } = await prepare();
      const example = run(system, name, settings);
      await until('it watches', async () => example.output.startsWith('Watching over '), 30);
      // Changes before the server has seen the subscription are not shown: book until one is.
      const shown = await until(
        'it shows a whole booking',
        async () => {
          const { booking } = await kim.request(space.id);
          await kim.waitForStatus(booking.id, 'REGISTERED');
          const changes = await until(
            'it shows the booking',
            async () => linesFor(example.output, booking.id).includes('REGISTERED') && 'all',
            5,
          ).catch(() => undefined);
          return changes && linesFor(example.output, booking.id);
        },
        45,
      );
      expect(shown.at(-1)).toBe('REGISTERED');
    },
    90_000,
  );

  test('resume shows what happened while it was disconnected, each change once', async () => {
    const { settings } = await prepare();
    const example = run(system, 'resume', settings);
    const code = await example.ended;
    expect(`${example.output}code ${code}`).toMatch(/Completed\.\ncode 0$/);
    const versions = [...example.output.matchAll(/version (\d+): (\w+)/g)];
    const numbers = versions.map(([, version]) => Number(version));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const statuses = versions.map(([, , status]) => status);
    expect(statuses).toEqual(expect.arrayContaining(['REGISTERED', 'CANCELLED']));
    expect(example.output).toMatch(/CANCELLED, payment (PARTIALLY_)?REFUNDED\nCompleted\.\n$/);
  }, 90_000);

  test('an example fails with the error of the API when its token is not valid', async () => {
    const example = run(system, 'first-booking', { TOKEN: 'forged' });
    expect(await example.ended).toBe(1);
    expect(example.output).toContain('UNAUTHENTICATED: The token is not valid.');
  });
});

/** The statuses that the output shows for a booking, in order. */
function linesFor(output: string, bookingId: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { bookingId: string; status: string })
    .filter((change) => change.bookingId === bookingId)
    .map(({ status }) => status);
}
