import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { queryRows } from '../invariants/query-rows.ts';
import type { RunFolder } from '../run-folder.ts';
import { type Postgres, startPostgres } from '../system/postgres.ts';
import { cloneCluster } from './clone-cluster.ts';
import type { ProxiedServers } from './database-proxy.ts';
import { servePrimaryApi } from './primary-api.ts';

/** So long a primary may be silent before its standby takes over. */
const SILENCE_MS = 3_000;
const TIMEOUT_MS = 120_000;
const POLL_MS = 100;

interface Member {
  name: string;
  home: string;
  port: number;
  checkPort: number;
  /** Undefined while it does not run. */
  server: Postgres | undefined;
}

/** Settings that are in force at once. */
type Replication = 'synchronous' | 'asynchronous';

/**
 * A primary and its standby. The pair does what Patroni or an operator of Kubernetes does: it knows one primary, promotes
 * the standby of a primary that is lost, and makes a lost server a standby before it runs again.
 */
export class PostgresPair {
  readonly #members: readonly [Member, Member];
  readonly #folder: RunFolder;
  readonly #logs: string;
  readonly #proxyPort: number;
  #primary: Member;

  private constructor(
    members: readonly [Member, Member],
    proxyPort: number,
    folder: RunFolder,
    logs: string,
  ) {
    this.#members = members;
    this.#proxyPort = proxyPort;
    this.#folder = folder;
    this.#logs = logs;
    this.#primary = members[0];
  }

  /** Starts both servers, with synchronous replication; the proxy leads to the ports of the result. */
  static async start(
    { port, servers }: ProxiedServers,
    folder: RunFolder,
    logs: string,
  ): Promise<PostgresPair> {
    const [first, second] = servers.map(({ name, port, checkPort }): Member => {
      if (checkPort === undefined) throw new Error(`${name} has no port for its API.`);
      return { name, port, checkPort, home: join(folder.path, name), server: undefined };
    });
    if (!first || !second) throw new Error('A pair has two servers.');
    const pair = new PostgresPair([first, second], port, folder, logs);
    folder.onStop(async () => {
      await Promise.all(pair.#members.map(({ server }) => server?.stop()));
    });
    for (const member of pair.#members) {
      folder.onStop(await servePrimaryApi(member.checkPort, () => pair.#isPrimary(member)));
    }
    await pair.#run(first);
    // A standby that is away for some seconds still finds the log that it has missed.
    await queryRows(pair.#adminUrl, "ALTER SYSTEM SET wal_keep_size = '512MB'");
    await pair.addStandby();
    return pair;
  }

  /** The primary, as clients know it: through the proxy. */
  get postgres(): Postgres {
    const { server } = this.#primary;
    if (!server) throw new Error(`${this.#primary.name} does not run.`);
    const proxied = (url: string) =>
      Object.assign(new URL(url), { port: String(this.#proxyPort) }).href;
    const urls = Object.entries(server.urls).map(([name, url]) => [name, proxied(url)]);
    return {
      urls: Object.fromEntries(urls) as Postgres['urls'],
      port: this.#proxyPort,
      adminUrl: proxied(server.adminUrl),
      restart: (mode) => this.#primary.server?.restart(mode),
      crash: () => this.#primary.server?.crash(),
      stop: async () => {},
    };
  }

  get primaryName(): string {
    return this.#primary.name;
  }

  get standbyName(): string {
    return this.#standby.name;
  }

  /** Makes the server that is not the primary its standby, and waits until nothing is acknowledged without it. */
  async addStandby(): Promise<void> {
    const [primary, standby] = [this.#primary, this.#standby];
    if (!primary.server) throw new Error(`${primary.name} does not run.`);
    await cloneCluster({ ...primary, adminUrl: this.#adminUrl }, standby.home, standby.name);
    await this.#run(standby);
    await this.replicate('synchronous');
  }

  /** Whether a transaction is acknowledged before the standby has it. */
  async replicate(how: Replication): Promise<void> {
    const names = how === 'synchronous' ? '*' : '';
    await queryRows(this.#adminUrl, `ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await queryRows(this.#adminUrl, 'SELECT pg_reload_conf()');
    const state = how === 'synchronous' ? 'sync' : 'async';
    await until(`the standby is ${state}`, async () => {
      const rows = await queryRows(
        this.#adminUrl,
        "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = $1",
        [state],
      );
      return rows.length > 0;
    });
  }

  /** The process of the primary that sends its log to the standby. */
  async senderPid(): Promise<number> {
    const [row] = await queryRows<{ pid: number }>(
      this.#adminUrl,
      'SELECT pid FROM pg_stat_replication',
    );
    if (!row) throw new Error('No standby follows the primary.');
    return row.pid;
  }

  /** Ends every process of the primary, as the loss of its machine does: nothing restarts it. */
  async losePrimary(): Promise<void> {
    const { server } = this.#primary;
    if (!server) return;
    const stopped = server.stop();
    server.crash();
    await stopped;
    this.#primary.server = undefined;
  }

  /** Promotes the standby once the primary has been silent for long enough. */
  async failOver(): Promise<void> {
    const standby = this.#standby;
    if (!standby.server) throw new Error(`${standby.name} does not run.`);
    await wait(SILENCE_MS);
    // Before it is promoted: nothing would be acknowledged until it has a standby itself.
    await queryRows(standby.server.adminUrl, "ALTER SYSTEM SET synchronous_standby_names = ''");
    await queryRows(standby.server.adminUrl, 'SELECT pg_reload_conf()');
    await queryRows(standby.server.adminUrl, 'SELECT pg_promote()');
    this.#primary = standby;
  }

  /** Throws unless the standby refuses a write: a client that still reaches it changes nothing. */
  async requireReadOnlyStandby(): Promise<void> {
    const { server, name } = this.#standby;
    const write = queryRows(server?.adminUrl ?? '', 'CREATE TABLE written_to_a_standby ()');
    const code = await write.then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
    if (code !== '25006') throw new Error(`${name} is a standby and accepts a write (${code}).`);
  }

  get #standby(): Member {
    const [first, second] = this.#members;
    return this.#primary === first ? second : first;
  }

  get #adminUrl(): string {
    const { server, name } = this.#primary;
    if (!server) throw new Error(`${name} does not run.`);
    return server.adminUrl;
  }

  async #run(member: Member): Promise<void> {
    const { log } = this.#folder;
    const logs = join(this.#logs, member.name);
    for (const folder of [logs, member.home]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    member.server = await startPostgres(
      member.home,
      logs,
      (line) => log(`${member.name}: ${line}`),
      member.port,
    );
  }

  /** A server that was lost does not become the primary by itself, whatever its data say. */
  async #isPrimary(member: Member): Promise<boolean> {
    if (member !== this.#primary || !member.server) return false;
    const [row] = await queryRows<{ standby: boolean }>(
      member.server.adminUrl,
      'SELECT pg_is_in_recovery() AS standby',
    );
    return row?.standby === false;
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not true after ${TIMEOUT_MS / 1_000} s: ${what}.`);
    await wait(POLL_MS);
  }
}
