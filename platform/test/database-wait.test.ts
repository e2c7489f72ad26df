import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import mariadb from 'mariadb';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../tests/support/database.ts';
import {
  freePort,
  startMariaDb,
  startPostgres,
  temporaryFolder,
} from '../../tests/support/servers.mjs';
import { launchServiceProcess, type ServiceProcess } from '../../tests/support/service-process.ts';
import { until } from '../../tests/support/system.ts';

let queue: TestDatabase;
const running: ServiceProcess[] = [];
const servers: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  queue = await createDatabase();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.end()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

afterAll(async () => {
  await queue?.drop();
}, 90_000);

async function launch(service: 'space' | 'mypage', env: Record<string, string>) {
  const launched = await launchServiceProcess(service, {
    QUEUE_DATABASE_URL: queue.url,
    DRAIN_SECONDS: '300',
    ...env,
  });
  running.push(launched);
  return launched;
}

/** What `/health/ready` says; null before the process listens. */
async function readiness({ url }: ServiceProcess) {
  const response = await fetch(`${url}/health/ready`).catch(() => null);
  return response && { status: response.status, ...((await response.json()) as object) };
}

async function untilWaiting(service: ServiceProcess, reason: string): Promise<void> {
  const expected = { status: 'not ready', reason };
  const isWaiting = async () =>
    JSON.stringify(await readiness(service)) === JSON.stringify(expected);
  await until(reason, isWaiting, 60);
}

async function untilReady(service: ServiceProcess): Promise<void> {
  await until('ready', async () => (await service.readiness()) === 200, 60);
}

/** The lines of the log from level `warn` on, without those of the queue. */
function warnings(service: ServiceProcess): string[] {
  const lines = service.log().split('\n').filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ level, msg }) => level !== 'info' && !msg.includes('queue'))
    .map(({ msg }) => msg);
}

const waits = (service: string, reason: string) => `${service} waits for its database: ${reason}`;
const NOTHING_LISTENS = 'nothing listens at its address';
const REFUSED = 'it refuses the user or the password of the address';
const MIGRATING = 'another process is migrating it';

describe('a context without its database', () => {
  test('two replicas wait until the server, the user and the database are there, and one of them migrates', async () => {
    const port = await freePort();
    const url = `postgresql://late:pw-of-late@127.0.0.1:${port}/late`;
    const replicas = await Promise.all(
      [1, 2].map(() => launch('space', { SPACE_DATABASE_URL: url })),
    );
    const untilAllWait = (reason: string) =>
      Promise.all(replicas.map((each) => untilWaiting(each, waits('space', reason))));
    await untilAllWait(NOTHING_LISTENS);
    const [space] = replicas as [ServiceProcess];
    expect((await fetch(`${space.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${space.url}/graphql`, { method: 'POST', body: '{}' })).status).toBe(503);
    expect((await fetch(`${space.url}/metrics`)).status).toBe(503);

    const server = await startPostgres(port);
    servers.push(server);
    await untilAllWait(REFUSED);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query("CREATE ROLE late LOGIN PASSWORD 'pw-of-late'");
    await untilAllWait('the database does not exist, or is closed to the user');
    await client.query('CREATE DATABASE late OWNER late');
    await client.end();

    await Promise.all(replicas.map(untilReady));
    const logs = replicas.map((each) => each.log()).join('');
    const migrated = [...logs.matchAll(/"migration":"(\w+)".*"migrated"/g)].map(([, name]) => name);
    expect(migrated.length).toBeGreaterThan(5);
    expect(new Set(migrated).size).toBe(migrated.length);
    expect(logs).not.toContain('pw-of-late');
    for (const each of replicas) {
      // One line for each change; while PostgreSQL starts there may be others between the two.
      const lines = warnings(each);
      expect(lines[0]).toBe(waits('space', NOTHING_LISTENS));
      expect(new Set(lines).size).toBe(lines.length);
    }
  }, 180_000);

  test('mypage waits until MariaDB is there and grants the rights that its migrations need', async () => {
    const port = await freePort();
    const url = `mysql://late:pw-of-late@127.0.0.1:${port}/late`;
    const mypage = await launch('mypage', { MYPAGE_DATABASE_URL: url });
    await untilWaiting(mypage, waits('mypage', NOTHING_LISTENS));
    const server = await startMariaDb(port);
    servers.push(server);
    await untilWaiting(mypage, waits('mypage', REFUSED));
    const root = await mariadb.createConnection({ port, user: 'root' });
    await root.query('CREATE DATABASE late');
    // It may record migrations, and apply none: the record must not say that one failed halfway.
    await root.query("CREATE USER late@'%' IDENTIFIED BY 'pw-of-late'");
    await root.query("GRANT SELECT, INSERT, UPDATE, DELETE ON late.* TO late@'%'");
    await root.query("GRANT CREATE ON late._prisma_migrations TO late@'%'");
    await untilWaiting(mypage, waits('mypage', 'the user may not change its tables'));
    await root.query("GRANT ALL ON late.* TO late@'%'");
    await root.end();
    await untilReady(mypage);
    expect(mypage.log()).not.toContain('pw-of-late');
  }, 180_000);

  test('mypage waits until the folder of its file is there', async () => {
    const folder = `${temporaryFolder('late')}/volume`;
    const file = pathToFileURL(`${folder}/views.sqlite`).href;
    const mypage = await launch('mypage', { MYPAGE_DATABASE_URL: file });
    await untilWaiting(mypage, waits('mypage', 'its file cannot be opened'));
    mkdirSync(folder);
    await untilReady(mypage);
  });

  test('a context that waits ends when the file with the address of its database has changed', async () => {
    const file = join(temporaryFolder('late'), 'url');
    const url = (password: string) => `postgresql://space:${password}@127.0.0.1:9/space`;
    writeFileSync(file, url('pw-of-yesterday'));
    const space = await launch('space', { SPACE_DATABASE_URL_FILE: file });
    await untilWaiting(space, waits('space', NOTHING_LISTENS));
    writeFileSync(file, url('pw-of-today'));
    expect(await space.exited).toBe(1);
    expect(space.log()).toContain('The address of the service');
    expect(space.log()).not.toContain('pw-of-');
  });

  test('a context waits while its database is read-only, and while another process migrates it', async () => {
    const database = await createDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const space = await launch('space', { SPACE_DATABASE_URL: database.url });
    await untilWaiting(space, waits('space', 'it is read-only, and is to be migrated'));

    const other = await database.pool.connect();
    await other.query('SELECT pg_advisory_lock(72707369)');
    await other.query(`SET default_transaction_read_only = off`);
    await other.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await untilWaiting(space, waits('space', MIGRATING));
    await other.query('SELECT pg_advisory_unlock(72707369)');
    other.release();
    await untilReady(space);
    expect(warnings(space)).toEqual([
      waits('space', 'it is read-only, and is to be migrated'),
      waits('space', MIGRATING),
    ]);
    await space.end();
    await database.drop();
  });

  test('a context that waits for a server that does not respond exits with 0 at once on SIGTERM', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await until('listening', async () => silent.listening);
    const { port } = silent.address() as { port: number };
    const space = await launch('space', {
      SPACE_DATABASE_URL: `postgresql://space:pw-of-late@127.0.0.1:${port}/space`,
    });
    await untilWaiting(space, 'space is starting');
    const startedAt = performance.now();
    space.child.kill('SIGTERM');
    expect(await space.exited).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    silent.close();
  });
});
