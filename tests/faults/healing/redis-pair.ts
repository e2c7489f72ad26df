import { setTimeout as wait } from 'node:timers/promises';
import type { RunFolder } from '../run-folder.ts';
import { REDIS_PASSWORD, type Redis, startRedis } from '../system/redis.ts';
import type { ProxiedServer, ProxiedServers } from './database-proxy.ts';

/** So long a master may be silent before its replica takes over. */
const SILENCE_MS = 3_000;

/** A master and its replica. The pair does what Redis Sentinel does. */
export class RedisPair {
  readonly #servers: readonly [ProxiedServer, ProxiedServer];
  readonly #running = new Map<ProxiedServer, Redis>();
  readonly #folder: RunFolder;
  readonly #logs: string;
  readonly #proxyPort: number;
  #master: ProxiedServer;

  private constructor(
    servers: readonly [ProxiedServer, ProxiedServer],
    proxyPort: number,
    folder: RunFolder,
    logs: string,
  ) {
    this.#servers = servers;
    this.#proxyPort = proxyPort;
    this.#folder = folder;
    this.#logs = logs;
    this.#master = servers[0];
  }

  /** Starts both servers; the proxy leads to the ports of the result. */
  static async start(
    { port, servers }: ProxiedServers,
    folder: RunFolder,
    logs: string,
  ): Promise<RedisPair> {
    const [first, second] = servers;
    if (!first || !second) throw new Error('A pair has two servers.');
    const pair = new RedisPair([first, second], port, folder, logs);
    folder.onStop(async () => {
      await Promise.all([...pair.#running.values()].map((server) => server.stop()));
    });
    await pair.#run(first, []);
    await pair.addReplica();
    return pair;
  }

  /** The master, as clients know it: through the proxy. */
  get redis(): Redis {
    const address = new URL(`redis://:${REDIS_PASSWORD}@127.0.0.1`);
    address.port = String(this.#proxyPort);
    return {
      url: address.href,
      port: this.#proxyPort,
      kill: () => this.#running.get(this.#master)?.kill(),
      command: async (...words) => this.#running.get(this.#master)?.command(...words),
      stop: async () => {},
    };
  }

  get masterName(): string {
    return this.#master.name;
  }

  get replicaName(): string {
    return this.#replica.name;
  }

  /** Starts the server that is not the master as its replica, empty. */
  async addReplica(): Promise<void> {
    const master = ['127.0.0.1', String(this.#master.port)];
    await this.#run(this.#replica, ['--replicaof', ...master, '--masterauth', REDIS_PASSWORD]);
  }

  /** Kills the master, as the loss of its machine does: nothing restarts it. */
  async loseMaster(): Promise<void> {
    const server = this.#running.get(this.#master);
    if (!server) return;
    const stopped = server.stop();
    server.kill();
    await stopped;
    this.#running.delete(this.#master);
  }

  /** Makes the replica the master once the master has been silent for long enough. */
  async failOver(): Promise<void> {
    await wait(SILENCE_MS);
    await this.#running.get(this.#replica)?.command('REPLICAOF', 'NO', 'ONE');
    this.#master = this.#replica;
  }

  get #replica(): ProxiedServer {
    const [first, second] = this.#servers;
    return this.#master === first ? second : first;
  }

  async #run(server: ProxiedServer, flags: readonly string[]): Promise<void> {
    const { path, log } = this.#folder;
    const { name, port } = server;
    const say = (line: string) => log(line);
    this.#running.set(server, await startRedis(path, this.#logs, say, { name, port, flags }));
  }
}
