import { setTimeout as wait } from 'node:timers/promises';
import type { ChaosSystem } from '../system/chaos-system.ts';
import { inDatabase } from './database-faults.ts';
import type { Fault } from './fault.ts';

/** What happens to the queue: it forgets everything, is full, or is away. */
export const queueFaults: readonly Fault[] = [
  {
    name: 'queue-emptied',
    weight: 6,
    draw(random) {
      const pauses = Array.from({ length: random.between(1, 3) }, () => random.between(50, 700));
      return {
        what: `the queue is emptied ${pauses.length} times`,
        ms: pauses.reduce((sum, ms) => sum + ms, 0),
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
    name: 'queue-away',
    weight: 4,
    draw(random) {
      const length = random.weighted({ short: 14, medium: 4, long: 1 });
      const ms = { short: 2_000, medium: 7_000, long: 30_000 }[length];
      const backEmpty = random.chance(0.5);
      return {
        what: `the queue is away for ${ms} ms${backEmpty ? ' and comes back empty' : ''}`,
        ms,
        async run(system) {
          const queues = system.processes.flatMap(({ queue }) => queue ?? []);
          for (const queue of queues) queue.refuse();
          await wait(ms);
          if (backEmpty) await emptyQueue(system);
          for (const queue of queues) queue.heal();
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
      what: 'kill -9 Redis, which comes back empty',
      ms: 500,
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
        what: `Redis is full for ${ms} ms`,
        ms,
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
  // Its tables, not the note of which migrations made them.
  await inDatabase(
    postgres.urls.queue,
    `DO $$ DECLARE names text; BEGIN
       SELECT string_agg(format('bullmq.%I', tablename), ', ') INTO names FROM pg_tables
        WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%';
       IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names; END IF;
     END $$`,
  );
}
