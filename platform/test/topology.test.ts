import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { findConsumers, type Topology, topology } from '#contracts/topology.ts';
import { createDatabase, silent, type TestDatabase } from '../../tests/support/database.ts';
import { statement } from '../database/postgres.ts';
import { openConsumer } from '../messaging/consumer.ts';
import { postgresDeadLetters } from '../messaging/dead-letters.ts';
import { newEvent } from '../messaging/events.ts';
import { postgresInbox, recordProcessed } from '../messaging/inbox.ts';
import { insertOutbox } from '../messaging/outbox.ts';
import { INBOX_PATH } from '../messaging/peer-inboxes.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import { type Relay, startRelay } from '../messaging/relay.ts';
import { createMetrics } from '../observability/metrics.ts';

test('the topology names a publisher for each type of event that a context consumes', () => {
  const published = Object.values(topology).flatMap(({ publishes }) => Object.keys(publishes));
  const consumed = Object.values(topology).flatMap(({ consumes }) => consumes);
  expect(consumed.filter((type) => !published.includes(type))).toEqual([]);
});

test('the topology names a consumer for each type of event that a context publishes', () => {
  const published = Object.values(topology).flatMap(({ publishes }) => Object.keys(publishes));
  expect(published.filter((type) => findConsumers(type).length === 0)).toEqual([]);
});

/** The product's contexts, and one that only counts what becomes of payments. */
const withReports: Topology = {
  ...topology,
  reports: { publishes: {}, consumes: ['PaymentApproved', 'PaymentCancelled'] },
};

describe('a fifth context', () => {
  let payment: TestDatabase;
  let reports: TestDatabase;
  let queue: TestDatabase;
  let inboxes: FastifyInstance;
  let transport: Transport;
  let relay: Relay;
  const received: string[] = [];

  beforeAll(async () => {
    // Its tables for consuming are those that every context has.
    [payment, reports, queue] = await Promise.all([
      createDatabase('payment'),
      createDatabase('space'),
      createDatabase(),
    ]);
    const inbox = postgresInbox(reports.pool);
    inboxes = Fastify({ forceCloseConnections: true });
    inboxes.post<{ Body: { ids: string[] } }>(INBOX_PATH, async ({ body }) => ({
      recorded: await inbox.findRecorded(body.ids),
    }));
    transport = openTransport({ QUEUE_DATABASE_URL: queue.url }, silent);
    const consumer = openConsumer({
      name: 'reports',
      transport,
      inbox,
      deadLetters: postgresDeadLetters(reports.pool),
      parkAfter: 3,
      metrics: createMetrics('reports'),
      logger: silent,
    });
    await consumer.subscribe(
      topology.payment.publishes,
      {
        PaymentApproved: async ({ id, payload }) => {
          received.push(payload.paymentId);
          await recordProcessed(reports.pool, id);
        },
      },
      { concurrency: 1 },
    );
    relay = startRelay({
      pool: payment.pool,
      transport,
      authorize: async () => 'Bearer test',
      inboxUrls: { reports: await inboxes.listen({ host: '127.0.0.1', port: 0 }) },
      publisher: 'payment',
      contexts: withReports,
      metrics: createMetrics('payment'),
      logger: silent,
    });
  });

  afterAll(async () => {
    await transport?.stopReceiving();
    await relay?.stop();
    await transport?.close();
    await inboxes?.close();
    await Promise.all([payment?.drop(), reports?.drop(), queue?.drop()]);
  });

  test('a context that is added to the topology consumes events of a publisher that does not know it', async () => {
    const paymentId = '0190a6b4-0000-7000-8000-000000000001';
    const event = newEvent(
      'PaymentApproved',
      { topic: topology.payment.publishes.PaymentApproved.topic, payload: z.unknown() },
      {
        aggregateId: paymentId,
        version: 2,
        occurredAt: new Date(),
        payload: {
          paymentId,
          bookingId: paymentId,
          spaceId: paymentId,
          slot: { startAt: '2030-01-01T10:00:00.000Z', endAt: '2030-01-01T11:00:00.000Z' },
          status: 'APPROVED',
          amount: 10_000,
          refunded: 0,
          currency: 'KRW',
        },
      },
      withReports,
    );
    expect(event.awaiting).toEqual(['mypage', 'reports', 'space']);

    await statement('test-insert', insertOutbox('$1'))(payment.pool, JSON.stringify([event]));
    relay.publish([event]);

    const deadline = Date.now() + 20_000;
    const awaiting = async () =>
      (await payment.query<{ awaiting: string[] }>('SELECT awaiting FROM outbox'))[0]?.awaiting;
    while ((await awaiting())?.includes('reports') && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(received).toEqual([paymentId]);
    expect(await awaiting()).toEqual(['mypage', 'space']);
  });
});
