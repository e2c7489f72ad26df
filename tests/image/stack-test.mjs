import { toMessage } from '../../scripts/command.mjs';
import { listBookableSpace } from './booking.mjs';
import { container } from './container.mjs';
import { runHealthChecks } from './health-checks.mjs';
import { timed } from './processes.mjs';

/** @typedef {import('./container.mjs').Container} Container */
/** @typedef {import('./stack.mjs').Stack} Stack */

/**
 * Brings the stack up, books, kills every container in turn, and stops, removes and starts the stack again.
 *
 * @param {object} options
 * @param {import('./engine.mjs').Engine} options.engine
 * @param {Stack} options.stack
 * @param {string} options.url of the router
 * @param {import('../support/identity-provider.mjs').Credentials} options.credentials
 * @param {import('./engine.mjs').AtEnd} options.atEnd
 */
export async function testStack({ engine, stack, url, credentials, atEnd }) {
  const { tool, checkHealth } = engine;
  const containers = Object.entries(stack.services).map(([name, service]) =>
    container(tool, name, service),
  );
  atEnd(() => stack.remove());
  if (checkHealth) atEnd(runHealthChecks(containers, checkHealth));
  await timed('Every container is healthy', () => up(stack, containers));
  const ours = containers.filter(({ isOurs }) => isOurs);
  await timed('No service runs as root', () =>
    Promise.all(ours.map((each) => each.requireOrdinaryUser())),
  );

  await timed('Each role of PostgreSQL reaches its own database alone', () =>
    requireOwnDatabases(stack, containers),
  );

  const { book, requireRegistered } = await listBookableSpace(url, credentials);
  /** @type {string[]} */
  const bookings = [];
  await timed('A space was booked, paid and registered, and mypage shows it', async () => {
    bookings.push(await book());
  });
  for (const each of containers) {
    await timed(
      `${each.name} was killed, started again, and a booking was made meanwhile`,
      async () => {
        await each.crash();
        const [bookingId] = await Promise.all([book(), each.healed()]);
        bookings.push(bookingId);
      },
    );
  }
  const requireBookings = () => Promise.all(bookings.map(requireRegistered));
  await timed(`All ${bookings.length} bookings are still there`, requireBookings);
  for (const each of containers) await each.requireRestartedOnce();

  await timed('Every container ended with exit code 0 when Compose stopped it', async () => {
    await stack.stop();
    for (const each of containers) await each.requireStopped();
  });
  await timed('The stack was removed without its volumes, and is healthy again', async () => {
    await stack.down();
    await up(stack, containers);
  });
  await timed(`All ${bookings.length} bookings are still there`, requireBookings);
}

/**
 * @param {Stack} stack
 * @param {Container[]} containers
 */
async function up(stack, containers) {
  try {
    await stack.up();
  } catch (error) {
    const logs = containers.map(
      async ({ name, logs }) => `${name}:\n${await logs().catch(toMessage)}`,
    );
    throw new Error([toMessage(error), ...(await Promise.all(logs))].join('\n\n'));
  }
}

/**
 * @param {Stack} stack
 * @param {Container[]} containers
 */
async function requireOwnDatabases({ services }, containers) {
  const postgres = containers.find(({ name }) => name === 'postgres');
  const urls = Object.values(services)
    .flatMap(({ environment }) => Object.values(environment))
    .filter((value) => value.startsWith('postgresql:'))
    .map((value) => new URL(value));
  if (!postgres || urls.length < 2) throw new Error('docker-compose.yml has no two databases.');
  for (const url of urls) {
    for (const { pathname } of urls) {
      const target = Object.assign(new URL(url), { pathname });
      const outcome = await postgres
        .exec(['psql', target.href, '--no-psqlrc', '-tAc', 'SELECT current_database()'])
        .catch(toMessage);
      const name = pathname.slice(1);
      const isOwn = pathname === url.pathname;
      if (isOwn ? outcome.trim() === name : outcome.includes('permission denied')) continue;
      throw new Error(`The role ${url.username} at the database ${name}: ${outcome}`);
    }
  }
}
