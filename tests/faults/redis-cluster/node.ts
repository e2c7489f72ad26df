import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createClient } from 'redis';
import { reservePort } from '../system/ports.ts';
import { killOnExit } from '../system/signal-on-exit.ts';
import { waitUntil } from '../wait-until.ts';

const PASSWORD = 'nodes-of-a-test';
/** A master that does not respond for this long is replaced by its replica. */
const NODE_TIMEOUT_MS = 3_000;
/** For the event loop of a busy test: a node that is away refuses at once. */
const CONNECT_TIMEOUT_MS = 30_000;
const START_TIMEOUT_SECONDS = 60;

export interface NodeOptions {
  /** What nodes announce; `unknown-endpoint`: only ports, on the host to which a client is connected. */
  endpoints?: 'ip' | 'unknown-endpoint';
  /** The host that nodes announce to clients, instead of the address at which they are reachable. */
  announcedHost?: string;
}

export interface ClusterNode {
  url: string;
  port: number;
  busPort: number;
  id(): Promise<string>;
  command(...words: string[]): Promise<unknown>;
  /** The text with which it responds. */
  info(...words: string[]): Promise<string>;
  isMaster(): Promise<boolean>;
  migrate(target: ClusterNode, keys: readonly string[]): Promise<unknown>;
  /** Whether it was neither killed nor paused. */
  isResponsive(): boolean;
  /** kill -9; it does not start again. */
  kill(): void;
  /** Freezes the process: it keeps its connections and does not respond. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts a node of a cluster in a folder of its own; it knows no other node yet. */
export async function startNode(
  folder: string,
  { endpoints = 'ip', announcedHost }: NodeOptions,
): Promise<ClusterNode> {
  mkdirSync(folder, { recursive: true });
  const [port, busPort] = [await reservePort(), await reservePort()];
  const settings = {
    ...{ port, 'cluster-port': busPort, bind: '127.0.0.1', dir: folder },
    ...{ save: '', appendonly: 'no', requirepass: PASSWORD, masterauth: PASSWORD },
    ...{ 'cluster-enabled': 'yes', 'cluster-node-timeout': NODE_TIMEOUT_MS },
    // Also after a long pause of its master, a replica takes over.
    'cluster-replica-validity-factor': 0,
    'cluster-preferred-endpoint-type': endpoints,
    ...(announcedHost && {
      'cluster-announce-hostname': announcedHost,
      'cluster-preferred-endpoint-type': 'hostname',
    }),
  };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = killOnExit(spawn('redis-server', words, { detached: true, stdio: 'ignore' }));
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  const command = (...sent: string[]) => execute(url, sent);
  let isPaused = false;
  await waitUntil('redis-server responds', START_TIMEOUT_SECONDS, async () => {
    if (server.exitCode !== null) throw new Error(`redis-server ended: ${server.exitCode}.`);
    return command('PING').catch(() => false);
  });
  return {
    url,
    port,
    busPort,
    command,
    info: async (...sent) => String(await command(...sent)),
    id: async () => String(await command('CLUSTER', 'MYID')),
    isMaster: async () => String(await command('INFO', 'replication')).includes('role:master'),
    migrate: (target, keys) =>
      command(
        ...['MIGRATE', '127.0.0.1', String(target.port), '', '0', '5000'],
        ...['AUTH', PASSWORD, 'KEYS', ...keys],
      ),
    isResponsive: () => server.exitCode === null && server.signalCode === null && !isPaused,
    kill: () => void server.kill('SIGKILL'),
    pause() {
      isPaused = server.kill('SIGSTOP');
    },
    resume() {
      server.kill('SIGCONT');
      isPaused = false;
    },
    async stop() {
      server.kill('SIGKILL');
      await ended;
    },
  };
}

async function execute(url: string, words: string[]): Promise<unknown> {
  const client = createClient({
    url,
    socket: { reconnectStrategy: false, connectTimeout: CONNECT_TIMEOUT_MS },
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}
