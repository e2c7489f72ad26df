import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../wait-until.ts';
import { type ClusterNode, type NodeOptions, startNode } from './node.ts';

const MASTERS = 3;
const SLOTS = 16_384;
const START_TIMEOUT_SECONDS = 90;
const FAILOVER_TIMEOUT_SECONDS = 90;
const KEYS_PER_MOVE = '100';

/** A Redis Cluster of three masters with a replica each, without persistence. */
export interface RedisCluster {
  nodes: readonly ClusterNode[];
  /** The address of the first node. */
  url: string;
  /** The node that stores the key; rejects while the nodes disagree. */
  masterOf(key: string): Promise<ClusterNode>;
  /** Resolves with the node that stores the key once it is another one. */
  failedOver(key: string, from: ClusterNode): Promise<ClusterNode>;
  /** The hash tags of all queues, by the node that stores them. */
  queues(): Promise<Map<ClusterNode, string[]>>;
  /** Moves the slot of the key, with all of its keys, to another master, and resolves with that. */
  moveSlot(key: string): Promise<ClusterNode>;
  stop(): Promise<void>;
}

/** Starts six nodes on free ports and joins them to a cluster. */
export async function startRedisCluster(options: NodeOptions = {}): Promise<RedisCluster> {
  const home = mkdtempSync(join(tmpdir(), 'spacerent-redis-cluster-'));
  const nodes: ClusterNode[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const starting = Array.from({ length: 2 * MASTERS }, async (_, index) => {
      nodes.push(await startNode(join(home, String(index)), options));
    });
    await Promise.all(starting);
    await joinNodes(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    url: (nodes[0] as ClusterNode).url,
    masterOf: (key) => masterOf(nodes, key),
    failedOver: (key, from) =>
      waitUntil('another node stores the key', FAILOVER_TIMEOUT_SECONDS, async () => {
        const master = await masterOf(nodes, key).catch(() => from);
        return master !== from && master;
      }),
    queues: () => queuesByNode(nodes),
    moveSlot: (key) => moveSlot(nodes, key),
    stop,
  };
}

async function joinNodes(nodes: readonly ClusterNode[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  const [first] = nodes as [ClusterNode];
  await Promise.all(
    masters.map(async (master, index) => {
      const from = Math.ceil((index * SLOTS) / MASTERS);
      const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
      await master.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      await master.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }),
  );
  for (const { port, busPort } of nodes.slice(1)) {
    await first.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
  }
  const everywhere = (condition: string, holds: (node: ClusterNode) => Promise<boolean>) =>
    waitUntil(condition, START_TIMEOUT_SECONDS, async () =>
      (await Promise.all(nodes.map(holds))).every(Boolean),
    );
  await everywhere('every node knows all others', async (node) =>
    (await node.info('CLUSTER', 'INFO')).includes(`cluster_known_nodes:${nodes.length}\r`),
  );
  for (const [index, replica] of nodes.slice(MASTERS).entries()) {
    const id = await (masters[index] as ClusterNode).id();
    await replica.command('CLUSTER', 'REPLICATE', id);
  }
  await everywhere('every slot is served', async (node) =>
    (await node.info('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
  await everywhere('every replica is connected', async (node) =>
    /role:master|master_link_status:up/.test(await node.info('INFO', 'replication')),
  );
}

async function slotOf(node: ClusterNode, key: string): Promise<string> {
  return String(await node.command('CLUSTER', 'KEYSLOT', key));
}

async function masterOf(nodes: readonly ClusterNode[], key: string): Promise<ClusterNode> {
  const running = nodes.filter((node) => node.isResponsive());
  const views = await Promise.all(running.map((node) => ownerPort(node, key)));
  const master = running.find(({ port }) => port === views[0]);
  if (!master || views.some((port) => port !== views[0])) throw new Error('the nodes disagree');
  return master;
}

/** The port of the node that stores the key, as this node sees it. */
async function ownerPort(node: ClusterNode, key: string): Promise<number> {
  try {
    await node.command('EXISTS', key);
    return node.port;
  } catch (error) {
    return Number(/^MOVED \d+ .*:(\d+)$/.exec((error as Error).message)?.[1]);
  }
}

async function queuesByNode(nodes: readonly ClusterNode[]): Promise<Map<ClusterNode, string[]>> {
  const queues = new Map<ClusterNode, string[]>();
  for (const node of nodes.filter((each) => each.isResponsive())) {
    if (!(await node.isMaster())) continue;
    const keys = (await node.command('KEYS', '{spacerent:*}:*')) as string[];
    const tags = new Set(keys.map((key) => key.slice(0, key.indexOf('}') + 1)));
    queues.set(node, [...tags].sort());
  }
  return queues;
}

async function moveSlot(nodes: readonly ClusterNode[], key: string): Promise<ClusterNode> {
  const source = await masterOf(nodes, key);
  const slot = await slotOf(source, key);
  const masters: ClusterNode[] = [];
  for (const node of nodes.filter((each) => each.isResponsive())) {
    if (await node.isMaster()) masters.push(node);
  }
  const target = masters.find((node) => node !== source) as ClusterNode;
  const setSlot = (node: ClusterNode, state: string, other: string) =>
    node.command('CLUSTER', 'SETSLOT', slot, state, other);
  await setSlot(target, 'IMPORTING', await source.id());
  await setSlot(source, 'MIGRATING', await target.id());
  for (;;) {
    const keys = (await source.command(
      'CLUSTER',
      'GETKEYSINSLOT',
      slot,
      KEYS_PER_MOVE,
    )) as string[];
    if (keys.length === 0) break;
    await source.migrate(target, keys);
  }
  for (const node of [target, source, ...masters]) await setSlot(node, 'NODE', await target.id());
  return target;
}
