import { setTimeout as wait } from 'node:timers/promises';
import type { ChaosSystem } from '../system/chaos-system.ts';
import { executeStatement } from './execute-statement.ts';
import type { Fault } from './fault.ts';

/** The queue loses its contents, is full, or is unreachable. */
export const queueFaults: readonly Fault[] = [
  {
    name: 'queue-emptied',
    weight: 6,
    draw(random) {
      const pauses = Array.from({ length: random.between(1, 3) }, () => random.between(50, 700));
      return {
        description: `the queue is emptied ${pauses.length} times`,
        durationMs: pauses.reduce((sum, ms) => sum + ms, 0),
        async run(system) {
          for (const ms of pauses) {
            await emptyQueue(system);
            await wait(ms);
          }
          return true;
        },
      };
    },
  },
  {
    name: 'queue-unreachable',
    weight: 4,
    draw(random) {
      const length = random.weighted({ short: 14, medium: 4, long: 1 });
      const ms = { short: 2_000, medium: 7_000, long: 30_000 }[length];
      const losesContents = random.chance(0.5);
      return {
        description: `the queue is unreachable for ${ms} ms${losesContents ? ' and empty afterwards' : ''}`,
        durationMs: ms,
        async run(system) {
          const proxies = system.processes.map(({ queueProxy }) => queueProxy);
          for (const proxy of proxies) proxy.refuse();
          await wait(ms);
          if (losesContents) await emptyQueue(system);
          for (const proxy of proxies) proxy.heal();
          return true;
        },
      };
    },
  },
  {
    name: 'redis-killed',
    weight: 4,
    profile: 'servers',
    draw: () => ({
      description: 'kill -9 Redis, which restarts empty',
      durationMs: 500,
      async run({ redis }) {
        redis?.kill();
        return redis !== undefined;
      },
    }),
  },
  {
    name: 'redis-full',
    weight: 4,
    profile: 'servers',
    draw(random) {
      const ms = random.between(500, 3_000);
      return {
        description: `Redis is full for ${ms} ms`,
        durationMs: ms,
        async run({ redis }) {
          await redis?.command('CONFIG', 'SET', 'maxmemory', '1mb');
          await wait(ms);
          await redis?.command('CONFIG', 'SET', 'maxmemory', '0').catch(() => {});
          return redis !== undefined;
        },
      };
    },
  },
];

async function emptyQueue({ redis, postgres }: ChaosSystem): Promise<void> {
  if (redis) {
    await redis.command('FLUSHALL');
    return;
  }
  // Without the table of applied migrations: the tables are not created again.
  await executeStatement(
    postgres.urls.queue,
    `DO $$ DECLARE names text; BEGIN
       SELECT string_agg(format('bullmq.%I', tablename), ', ') INTO names FROM pg_tables
        WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%';
       IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names; END IF;
     END $$`,
  );
}
