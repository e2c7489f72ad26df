import { createClient, ErrorReply } from 'redis';
import { ConfigError } from '../config/settings.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { throttledWarnings } from '../observability/throttled-warnings.ts';
import type { RedisClient } from './movable-client.ts';
import { nodeName, splitUrls, urlOfNode } from './redis-url.ts';

/** Also a node that accepts connections and does not respond has this long. */
const ASK_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** How often a cluster is asked which nodes it has. */
const LEARN_EVERY_MS = 30_000;
/** While a cluster is down, every connection of the process asks: they open no more connections than this allows. */
const PEER_LIFETIME_MS = 3_000;

/**
 * The nodes of one Redis: those of the setting and, on a Redis Cluster, all that it has named since. A
 * process shares them among its connections, so that each finds the cluster when its own node is down.
 */
export interface RedisNodes {
  /** The first address of the setting. */
  readonly first: string;
  /** The addresses of all known nodes, those of the setting first. */
  urls(): string[];
  /**
   * Resolves with whether the client is connected to a cluster, whose nodes it remembers; they are asked for
   * every half minute. Throws ConfigError when it is not, and the setting names several nodes.
   */
  learn(client: RedisClient, url: string): Promise<boolean>;
  /**
   * The address of the node that stores the key, by the first of the nodes that knows another one than that at
   * `url`; undefined when none does.
   */
  askOthers(url: string, key: string): Promise<string | undefined>;
  /** Logs that a node is not reachable, at most once in 5 s. */
  warn(error: unknown, url: string): void;
  /** Ends the connections on which nodes are asked. */
  close(): void;
}

/** The nodes by `REDIS_URL`: the address of a server or of one or several nodes of a cluster. */
export function redisNodes(setting: string, logger: Logger): RedisNodes {
  const configured = splitUrls(setting);
  let announced: string[] = [];
  let learned = { at: Number.NEGATIVE_INFINITY, isCluster: false };
  const peers = new Map<string, Peer>();
  const warnConfigured = throttledWarnings(logger, 'Redis is not reachable');
  const warnAnnounced = throttledWarnings(
    logger,
    'a node of the Redis Cluster is not reachable at the address that the cluster announces',
  );
  const known = () => [...new Set([...configured, ...announced])];

  async function learnNodes(client: RedisClient, url: string): Promise<void> {
    const shards = await withTimeout(ASK_TIMEOUT_MS, 'CLUSTER SLOTS', client.clusterSlots());
    const nodes = shards.flatMap(({ master, replicas }) => [master, ...replicas]);
    // "?" stands for a host name that is not set.
    announced = nodes.filter(({ host }) => host !== '?').map((node) => urlOfNode(node, url));
  }

  async function ask(url: string, key: string): Promise<string> {
    const peer = peers.get(url) ?? openPeer(url, () => peers.delete(url));
    peers.set(url, peer);
    await peer.opened;
    return findOwner(peer.client, url, key);
  }

  return {
    first: configured[0],
    urls: known,
    async learn(client, url) {
      if (performance.now() - learned.at < LEARN_EVERY_MS) return learned.isCluster;
      const isCluster = await isClusterNode(client);
      if (isCluster) await learnNodes(client, url);
      else if (configured.length > 1)
        throw new ConfigError('REDIS_URL names several nodes, but this is not a Redis Cluster.');
      learned = { at: performance.now(), isCluster };
      return isCluster;
    },
    async askOthers(url, key) {
      const answers = known()
        .filter((other) => other !== url)
        .map(async (other) => {
          const owner = await ask(other, key);
          if (owner === url) throw new Error(`${nodeName(url)} stores it`);
          return owner;
        });
      return Promise.any(answers).catch(() => undefined);
    },
    warn(error, url) {
      const node = nodeName(url);
      const names = configured.map(nodeName);
      const detailed = new Error(`${node}: ${(error as Error).message}`, { cause: error });
      (names.includes(node) ? warnConfigured : warnAnnounced)(detailed);
    },
    close() {
      for (const { client } of peers.values()) client.destroy();
    },
  };
}

/**
 * The address of the node that stores the key, as the node at `url` sees it. Rejects when that node does not
 * respond or responds with an error, such as that it has lost its cluster.
 */
export async function findOwner(client: RedisClient, url: string, key: string): Promise<string> {
  try {
    await withTimeout(ASK_TIMEOUT_MS, 'EXISTS', client.exists(key));
    return url;
  } catch (error) {
    if (!(error instanceof ErrorReply)) throw error;
    // The slot is being moved away: until that is over, its keys are here.
    if (error.message.startsWith('ASK ')) return url;
    const [, host = '', port] = /^MOVED \d+ (.*):(\d+)$/.exec(error.message) ?? [];
    if (!port) throw error;
    return urlOfNode({ host, port: Number(port) }, url);
  }
}

async function isClusterNode(client: RedisClient): Promise<boolean> {
  const info = await withTimeout(ASK_TIMEOUT_MS, 'INFO', client.info('cluster'));
  return /^cluster_enabled:1/m.test(info);
}

/** A connection to a node of a cluster on which it is asked, or the failure to open one. */
interface Peer {
  client: RedisClient;
  opened: Promise<void>;
}

function openPeer(url: string, onEnd: () => void): Peer {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  }) as RedisClient;
  client.on('error', () => {});
  setTimeout(() => {
    client.destroy();
    onEnd();
  }, PEER_LIFETIME_MS).unref();
  const opened = client.connect().then(async () => {
    if (!(await isClusterNode(client))) throw new Error(`${nodeName(url)} is no cluster's node`);
  });
  return { client, opened };
}
