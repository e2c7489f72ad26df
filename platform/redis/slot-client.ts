import { ErrorReply } from 'redis';
import { ConfigError } from '../config/settings.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { movableClient, type RedisClient } from './movable-client.ts';
import { findOwner, type RedisNodes } from './redis-nodes.ts';
import { nodeName } from './redis-url.ts';

const WATCH_EVERY_MS = 1_000;
const PING_TIMEOUT_MS = 3_000;

const CLIENT_OPTIONS = {
  // A command fails at once while Redis is down.
  disableOfflineQueue: true,
  socket: {
    connectTimeout: 3_000,
    // For copies, which block in a command for 5 s at most: a longer silence means a half-open connection.
    // No pingInterval: a client that is destroyed while it connects would never stop pinging.
    socketTimeout: 15_000,
    reconnectStrategy: (retries: number) => Math.min(100 * 2 ** retries, 2_000),
  },
};

/** A connection to the server or, on a Redis Cluster, to the node that stores one hash tag's keys. */
export interface SlotClient {
  /** It fails at once while the node is not reachable; its connection and those of its copies follow the slot. */
  readonly client: RedisClient;
  /** Resolves with whether the server is a cluster, when it has been reached for the first time. */
  readonly isCluster: Promise<boolean>;
  /** Rejects when the node that stores the keys does not respond within 3 s. */
  ping(): Promise<void>;
  /** Ends the connection and those of its copies. */
  close(): void;
}

interface SlotClientDeps {
  nodes: RedisNodes;
  /** Any key with the hash tag, as `{tag}:x`; it is read and never written. */
  key: string;
  logger: Logger;
}

/**
 * Connects in the background, without a time limit. It needs no cluster client: the scripts of BullMQ and of
 * counters use keys of one slot, which one node stores. A node that no longer stores it says which one does;
 * while the node is down, the others are asked.
 */
export function openSlotClient({ nodes, key, logger }: SlotClientDeps): SlotClient {
  const movable = movableClient(nodes.first, CLIENT_OPTIONS);
  const { client } = movable;
  let isClosed = false;
  let resolveReached = (_isCluster: boolean) => {};
  const reached = new Promise<boolean>((resolve) => {
    resolveReached = resolve;
  });

  function moveTo(url: string): void {
    logger.info(
      { from: nodeName(movable.url), to: nodeName(url), key },
      'the slot is on another node',
    );
    movable.moveTo(url);
  }

  async function askOthers(): Promise<void> {
    const owner = await nodes.askOthers(movable.url, key);
    if (owner && !isClosed) moveTo(owner);
  }

  async function follow(): Promise<void> {
    const { url } = movable;
    if (!client.isReady) return askOthers();
    try {
      const owner = await findOwner(client, url, key);
      if (owner === url) resolveReached(await nodes.learn(client, url));
      else moveTo(owner);
    } catch (error) {
      if (error instanceof ErrorReply || error instanceof ConfigError) {
        nodes.warn(error, url);
        // This node has lost its cluster, which may have another owner by now.
        if (error.message.startsWith('CLUSTERDOWN')) await askOthers();
      } else if (client.isReady) {
        logger.warn({ err: error }, 'Redis does not respond: the connection is replaced');
        // Node-redis has no timeout for a command that was written, and every write postpones its socket's.
        client.destroy();
        client.connect().catch(() => {});
      }
    }
  }

  let isFollowing = false;
  async function watch(): Promise<void> {
    if (isFollowing || isClosed) return;
    isFollowing = true;
    await follow();
    isFollowing = false;
  }
  const timer = setInterval(watch, WATCH_EVERY_MS);
  client.on('ready', watch);
  client.on('error', (error) => nodes.warn(error, movable.url));
  client.connect().catch(() => {});

  return {
    client,
    isCluster: reached,
    async ping() {
      const owner = reached.then(() => findOwner(client, movable.url, key));
      const found = await withTimeout(PING_TIMEOUT_MS, 'PING', owner);
      if (found !== movable.url) throw new Error(`${nodeName(found)} stores the slot now`);
    },
    close() {
      isClosed = true;
      clearInterval(timer);
      movable.close();
    },
  };
}
