import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type RedisCluster, startRedisCluster } from '../../tests/faults/redis-cluster/cluster.ts';
import { silent } from '../../tests/support/database.ts';
import { freePort } from '../../tests/support/servers.mjs';
import { until } from '../../tests/support/system.ts';
import type { Logger } from '../observability/logger.ts';
import type { RedisClient } from '../redis/movable-client.ts';
import { redisNodes } from '../redis/redis-nodes.ts';
import { openSlotClient, type SlotClient } from '../redis/slot-client.ts';

const SECONDS = 60;
const onRedis = process.env.TEST_REDIS_URL ? describe : describe.skip;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function open(setting: string, tag: string, logger = silent): SlotClient {
  const slot = openSlotClient({ nodes: redisNodes(setting, logger), key: `{${tag}}:x`, logger });
  closing.push(slot.close);
  return slot;
}

const works = (slot: SlotClient, key: string) =>
  until(
    'the client writes and reads',
    async () => {
      if (!(await canWrite(slot.client, key))) return false;
      return slot.ping().then(
        () => true,
        () => false,
      );
    },
    SECONDS,
  );

onRedis('a connection to the node of a slot', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 120_000);

  afterAll(() => cluster?.stop());

  /** Each tag is stored by another master. */
  async function tagsOfMasters(): Promise<string[]> {
    const tags = new Map<number, string>();
    for (let n = 0; tags.size < 3; n += 1) {
      const { port } = await cluster.masterOf(`{tag${n}}`);
      if (!tags.has(port)) tags.set(port, `tag${n}`);
    }
    return [...tags.values()];
  }

  test('it finds the node that stores its hash tag from the address of any node', async () => {
    for (const tag of await tagsOfMasters()) {
      for (const { url } of cluster.nodes) {
        const slot = open(url, tag);
        expect(await slot.isCluster).toBe(true);
        expect(await slot.client.set(`{${tag}}:value`, 'stored')).toBe('OK');
      }
    }
  });

  test('it starts while the first node of the setting is down', async () => {
    const slot = open(`redis://127.0.0.1:${await freePort()},${cluster.url}`, 'kim');
    await works(slot, '{kim}:count');
  });

  test('it and its copies follow a slot that is moved to another node, with what it stores', async () => {
    const slot = open(cluster.url, 'moved');
    await works(slot, '{moved}:count');
    await slot.client.set('{moved}:value', 'stored before');
    const copy = await openCopy(slot);
    await cluster.moveSlot('{moved}');
    await until('the value is read', () => isStored(slot.client, '{moved}:value'), SECONDS);
    await until('the copy reads it', () => isStored(copy, '{moved}:value'), SECONDS);
  });

  test('it and its copies follow when a master freezes and its replica takes over', async () => {
    const slot = open(cluster.url, 'frozen');
    await works(slot, '{frozen}:count');
    const copy = await openCopy(slot);
    const frozen = await cluster.masterOf('{frozen}');
    frozen.pause();
    try {
      await cluster.failedOver('{frozen}', frozen);
      await works(slot, '{frozen}:count');
      await until('the copy writes', () => canWrite(copy, '{frozen}:copy'), SECONDS);
    } finally {
      frozen.resume();
    }
  }, 240_000);

  test('it and its copies follow when the node of the setting is killed', async () => {
    const killed = await cluster.masterOf('{killed}');
    const slot = open(killed.url, 'killed');
    await works(slot, '{killed}:count');
    const copy = await openCopy(slot);
    killed.kill();
    await cluster.failedOver('{killed}', killed);
    await works(slot, '{killed}:count');
    await until('the copy writes', () => canWrite(copy, '{killed}:copy'), SECONDS);
  }, 240_000);
});

onRedis('a connection to nodes that cannot be used', () => {
  test('a cluster that announces addresses which are not reachable is named in the log', async () => {
    const cluster = await startRedisCluster({ announcedHost: 'node.invalid' });
    closing.push(cluster.stop);
    const { logger, warnings } = recordingLogger();
    // Two hash tags of which at most one is stored by the first node.
    for (const tag of ['0', '1', '2']) open(cluster.url, tag, logger);
    await until(
      'the warning names the announced address',
      () =>
        warnings.some(
          ({ message, error }) =>
            message ===
              'a node of the Redis Cluster is not reachable at the address that the cluster announces' &&
            /^node\.invalid:\d+: /.test(error),
        ),
      SECONDS,
    );
  }, 180_000);

  test('several addresses of servers that are no cluster are refused with a sentence', async () => {
    const { logger, warnings } = recordingLogger();
    const url = process.env.TEST_REDIS_URL as string;
    const slot = open(`${url},${url}`, 'none', logger);
    await until(
      'the sentence is logged',
      () => warnings.some(({ error }) => error.includes('but this is not a Redis Cluster')),
      SECONDS,
    );
    await expect(slot.ping()).rejects.toThrow(/took longer/);
  });
});

function recordingLogger() {
  const warnings: { message: string; error: string }[] = [];
  const logger = {
    ...silent,
    info() {},
    warn(fields: { err: Error }, message: string) {
      warnings.push({ message, error: fields.err.message });
    },
  } as never as Logger;
  return { logger, warnings };
}

/** A copy of the connection, as BullMQ opens it for commands that block. */
async function openCopy(slot: SlotClient): Promise<RedisClient> {
  const copy = slot.client.duplicate() as RedisClient;
  await copy.connect();
  return copy;
}

const isStored = (client: RedisClient, key: string) =>
  client.get(key).then(
    (value) => value === 'stored before',
    () => false,
  );

const canWrite = (client: RedisClient, key: string) =>
  client.incr(key).then(
    () => true,
    () => false,
  );
