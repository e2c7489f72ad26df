import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { EventContract } from '#contracts/event-contract.ts';
import { createDatabase, silent, type TestDatabase } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { openPostgres, type Pool, statement } from '../database/postgres.ts';
import { openConsumer } from '../messaging/consumer.ts';
import { postgresDeadLetters } from '../messaging/dead-letters.ts';
import type { EventRecord } from '../messaging/events.ts';
import { postgresInbox, recordProcessed } from '../messaging/inbox.ts';
import { insertOutbox } from '../messaging/outbox.ts';
import { INBOX_PATH } from '../messaging/peer-inboxes.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import { type Relay, startRelay } from '../messaging/relay.ts';
import { createMetrics } from '../observability/metrics.ts';

const PARK_AFTER = 2;
const insertEvents = statement('test-insert', insertOutbox('$1'));
const contract = (payload: z.ZodType, more: Partial<EventContract> = {}): EventContract => ({
  topic: 'redelivered',
  payload,
  ...more,
});

/** The contracts of an earlier release, and those of the next one. */
const EARLIER = { Tested: contract(z.object({ colour: z.enum(['RED']) })) };
const NEXT = {
  Tested: contract(z.object({ hue: z.enum(['RED', 'ULTRAVIOLET']) }), {
    upcasts: [({ colour }: { colour: string }) => ({ hue: colour })],
  }),
  Unheard: contract(z.object({})),
};

/** An outbox with its relay, a real queue and a consumer's database, between releases. */
describe('redelivery', () => {
  let database: TestDatabase;
  let queueDatabase: TestDatabase;
  let app: FastifyInstance;
  let relay: Relay;
  let sending: Transport;
  const running: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    [database, queueDatabase] = await Promise.all([createDatabase('payment'), createDatabase()]);
    const inbox = postgresInbox(database.pool);
    app = Fastify({ forceCloseConnections: true });
    app.post<{ Body: { ids: string[] } }>(INBOX_PATH, async ({ body }) => ({
      recorded: await inbox.findRecorded(body.ids),
    }));
    sending = await openTransport({ QUEUE_DATABASE_URL: queueDatabase.url }, silent);
    relay = startRelay({
      pool: database.pool,
      transport: sending,
      authorize: async () => 'Bearer test',
      inboxUrls: { mypage: await app.listen({ host: '127.0.0.1', port: 0 }) },
      publisher: 'tests',
      contexts: {
        tests: { publishes: NEXT, consumes: [] },
        mypage: { publishes: {}, consumes: Object.keys(NEXT) },
      },
      metrics: createMetrics('test'),
      logger: silent,
    });
  });

  afterAll(async () => {
    await relay?.stop();
    await Promise.all(running.map((each) => each.stop()));
    await sending?.close();
    await app?.close();
    await Promise.all([database?.drop(), queueDatabase?.drop()]);
  });

  /** A process of a release that knows the contracts, with a pool that waits 100 ms for a lock. */
  async function start(contracts: Record<string, EventContract>) {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c lock_timeout=100');
    const pool: Pool = openPostgres(url.href, silent);
    const transport = await openTransport({ QUEUE_DATABASE_URL: queueDatabase.url }, silent);
    const metrics = createMetrics('test');
    const consumer = openConsumer({
      name: 'mypage',
      transport,
      inbox: postgresInbox(pool),
      deadLetters: postgresDeadLetters(pool),
      parkAfter: PARK_AFTER,
      metrics,
      logger: silent,
    });
    const handler = async ({ id }: { id: string }) => {
      await pool.query('SELECT count(*) FROM refund');
      await recordProcessed(pool, id);
    };
    const handlers = Object.fromEntries(Object.keys(contracts).map((type) => [type, handler]));
    await consumer.subscribe(contracts, handlers, { concurrency: 2 });
    let stopped = false;
    const process = {
      async readMetric(metric: string): Promise<number> {
        const values = (await metrics.getSingleMetric(metric)?.get())?.values ?? [];
        return values.reduce((sum, { value }) => sum + value, 0);
      },
      async stop() {
        if (stopped) return;
        stopped = true;
        await transport.stopReceiving();
        await transport.close();
        await pool.end();
      },
    };
    running.push(process);
    return process;
  }

  async function publish(event: Partial<EventRecord>): Promise<string> {
    const whole = {
      id: uuidv7(),
      topic: 'redelivered',
      type: 'Tested',
      aggregateId: uuidv7(),
      version: 1,
      occurredAt: new Date().toISOString(),
      correlationId: 'test',
      payload: {},
      awaiting: ['mypage'] as EventRecord['awaiting'],
      ...event,
    };
    await insertEvents(database.pool, JSON.stringify([whole]));
    return whole.id;
  }

  /** Expires all leases: the backoff would grow to a minute. */
  const endLeases = () =>
    database.query("UPDATE outbox SET next_attempt_at = now() WHERE awaiting <> '{}'");
  const countAwaited = async () =>
    (await database.query("SELECT id FROM outbox WHERE awaiting <> '{}'")).length;
  const failures = () => database.query('SELECT state, failures FROM dead_letter');

  test('an event that a release does not understand is never parked, and the next release processes it', async () => {
    const earlier = await start(EARLIER);
    const strange = [
      await publish({ type: 'Unheard' }),
      await publish({ schemaVersion: 2, payload: { hue: 'RED' } }),
      await publish({ payload: { colour: 'ULTRAVIOLET' } }),
    ];
    const plain = await publish({ payload: { colour: 'RED' } });
    await until(
      'each was delivered more often than PARK_AFTER',
      async () => {
        await endLeases();
        const seen = await earlier.readMetric('spacerent_events_not_understood_total');
        return seen >= strange.length * (PARK_AFTER + 2);
      },
      25,
    );
    expect(await failures()).toEqual([]);
    await until(
      'what it understands is acknowledged',
      async () => (await countAwaited()) === 3,
      25,
    );
    expect(await postgresInbox(database.pool).findRecorded([...strange, plain])).toEqual([plain]);
    await earlier.stop();

    await start(NEXT);
    await endLeases();
    await until('all are acknowledged', async () => (await countAwaited()) === 0, 25);
    expect((await postgresInbox(database.pool).findRecorded(strange)).sort()).toEqual(
      [...strange].sort(),
    );
    expect(await failures()).toEqual([]);
  }, 90_000);

  test('an event whose table is locked counts no failure, however long the lock lasts', async () => {
    const consumer = await start(NEXT);
    await database.whileLocked('LOCK TABLE refund', async () => {
      await publish({ payload: { colour: 'RED' } });
      await until(
        'it was deferred more often than PARK_AFTER',
        async () => {
          await endLeases();
          return (await deferredBy(running as (typeof consumer)[])) >= PARK_AFTER + 3;
        },
        25,
      );
      expect(await failures()).toEqual([]);
    });
    await until(
      'it is processed once the lock is gone',
      async () => {
        await endLeases();
        return (await countAwaited()) === 0;
      },
      25,
    );
    expect(await failures()).toEqual([]);
  }, 90_000);

  async function deferredBy(processes: Awaited<ReturnType<typeof start>>[]): Promise<number> {
    const counts = processes.map((each) => each.readMetric('spacerent_events_deferred_total'));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }
});
