import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { ContextName, Topology } from '#contracts/topology.ts';
import { createDatabase, silent, type TestDatabase } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { inTransaction } from '../database/postgres.ts';
import { type EventRecord, queueName } from '../messaging/events.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import { type Relay, startRelay } from '../messaging/relay.ts';
import { createMetrics } from '../observability/metrics.ts';
import { TestConsumer } from './relay-consumer.ts';
import { insertEvents, newEvent, TestOutbox } from './relay-outbox.ts';

let outbox: TestOutbox;
let queueDatabase: TestDatabase;
let transport: Transport;
const consumers: TestConsumer[] = [];
let relays: Relay[] = [];
let topics = 0;

beforeAll(async () => {
  [outbox, queueDatabase] = await Promise.all([TestOutbox.open(), createDatabase()]);
  transport = openTransport({ QUEUE_DATABASE_URL: queueDatabase.url }, silent);
  // A transport creates its tables in the background, also after its end: dropping the database
  // meanwhile would break that connection, and with it the run of a test that needs no queue.
  await until('the queue is ready', () =>
    transport.ping().then(
      () => true,
      () => false,
    ),
  );
});

afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  relays = [];
  await outbox.finishAll();
});

afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await transport?.stopReceiving();
  await transport?.close();
  await Promise.all([outbox?.database.drop(), queueDatabase?.drop()]);
});

function startConsumer(name: ContextName): Promise<TestConsumer> {
  const consumer = new TestConsumer(name);
  consumers.push(consumer);
  return consumer.start();
}

function startTestRelay(...peers: TestConsumer[]): Relay {
  const inboxUrls = Object.fromEntries(peers.map(({ name, url }) => [name, url]));
  const started = startRelay({
    pool: outbox.database.pool,
    transport,
    authorize: async () => 'Bearer test',
    inboxUrls,
    publisher: 'tests',
    contexts: contextsFor(peers),
    metrics: createMetrics('test'),
    logger: silent,
  });
  relays.push(started);
  return started;
}

/** A context that publishes every topic of this file, and the consumers of all of them. */
function contextsFor(peers: readonly TestConsumer[]): Topology {
  const numbers = Array.from({ length: topics }, (_, n) => n + 1);
  const publishes = Object.fromEntries(
    numbers.map((n) => [`Tested${n}`, { topic: `topic-${n}`, payload: z.unknown() }]),
  );
  const consumer = { publishes: {}, consumes: Object.keys(publishes) };
  return {
    ...Object.fromEntries(peers.map(({ name }) => [name, consumer])),
    tests: { publishes, consumes: [] },
  };
}

/** A topic of one test alone, so that consumers of other tests do not receive its events. */
async function newTopic(...receivers: TestConsumer[]): Promise<string> {
  topics += 1;
  const topic = `topic-${topics}`;
  await Promise.all(receivers.map((consumer) => consumer.receive(transport, topic)));
  return topic;
}

describe('the relay', () => {
  test('the relay sends a committed event to every consumer and finishes it when both acknowledge it', async () => {
    const space = await startConsumer('space');
    const mypage = await startConsumer('mypage');
    const event = newEvent(await newTopic(space, mypage), 'space', 'mypage');
    await outbox.insert(event);
    startTestRelay(space, mypage).publish([event]);
    await until('acknowledged', () => outbox.isFinished(event));
    expect([space.deliveries(event), mypage.deliveries(event)]).toEqual([1, 1]);
    expect(await outbox.read(event)).toEqual({ awaiting: [], attempts: 1 });
  });

  test('a relay that was given an empty batch sends the next event before its lease ends', async () => {
    const space = await startConsumer('space');
    const event = newEvent(await newTopic(space), 'space');
    const relay = startTestRelay(space);
    relay.publish([]);
    await outbox.insert(event);
    relay.publish([event]);
    await until('acknowledged', () => outbox.isFinished(event));
    // With a second attempt the lease would have expired first.
    expect(await outbox.read(event)).toEqual({ awaiting: [], attempts: 1 });
  });

  test('the relay does not send an acknowledged event again, whatever its lease says', async () => {
    const space = await startConsumer('space');
    const topic = await newTopic(space);
    const event = newEvent(topic, 'space');
    await outbox.insert(event);
    startTestRelay(space).publish([event]);
    await until('acknowledged', () => outbox.isFinished(event));

    const later = newEvent(topic, 'space');
    await outbox.insert(later);
    await outbox.expireLease(event, later);
    await until('the relay has looked for due events again', () => outbox.isFinished(later));
    expect(space.deliveries(event)).toBe(1);
    expect(await outbox.read(event)).toMatchObject({ attempts: 1 });
  });

  test('the relay only acknowledges a due event that is already in the inbox of its consumer', async () => {
    const space = await startConsumer('space');
    const event = newEvent(await newTopic(space), 'space');
    space.inbox.add(event.id);
    await outbox.insert(event);
    await outbox.expireLease(event);
    startTestRelay(space);
    await until('acknowledged', () => outbox.isFinished(event));
    expect(space.deliveries(event)).toBe(0);
  });

  test('the relay sends an event whose process died after its commit, once the first lease is over', async () => {
    const space = await startConsumer('space');
    const event = newEvent(await newTopic(space), 'space');
    await outbox.insert(event);
    const committedAt = Date.now();
    startTestRelay(space);
    await until('received', () => space.deliveries(event) === 1);
    expect(Date.now() - committedAt).toBeGreaterThan(4_500);
    await until('acknowledged', () => outbox.isFinished(event));
    expect(await outbox.read(event)).toMatchObject({ attempts: 2 });
  });

  test('the relay sends an event again until its consumer acknowledges it', async () => {
    const space = await startConsumer('space');
    space.processes = false;
    const event = newEvent(await newTopic(space), 'space');
    await outbox.insert(event);
    startTestRelay(space).publish([event]);
    for (const attempt of [1, 2, 3]) {
      await until(`received ${attempt} times`, () => space.deliveries(event) === attempt);
      expect(await outbox.read(event)).toEqual({ awaiting: ['space'], attempts: attempt });
      if (attempt === 3) space.processes = true;
      await outbox.expireLease(event);
    }
    await until('acknowledged', () => outbox.isFinished(event));
  });

  test('the relay sends an event that commits later than one with a greater id', async () => {
    const space = await startConsumer('space');
    const topic = await newTopic(space);
    const [early, late] = [newEvent(topic, 'space'), newEvent(topic, 'space')];
    await inTransaction(outbox.database.pool, async (db) => {
      await insertEvents(db, JSON.stringify([early]));
      await outbox.insert(late);
      await outbox.expireLease(late);
      startTestRelay(space);
      await until('the later one is acknowledged', () => outbox.isFinished(late));
    });
    expect(space.deliveries(early)).toBe(0);
    await outbox.expireLease(early);
    await until('the earlier one is acknowledged', () => outbox.isFinished(early));
    expect([space.deliveries(early), space.deliveries(late)]).toEqual([1, 1]);
  });

  test('the relay does not fill the queue of a consumer that is down, and continues once it is back', async () => {
    const space = await startConsumer('space');
    const topic = await newTopic();
    await space.stop();
    const events = Array.from({ length: 30 }, () => newEvent(topic, 'space'));
    await outbox.insert(...events);
    await outbox.expireLease(...events);
    startTestRelay(space);
    const queue = queueName(topic, 'space');
    for (let check = 0; check < 5; check += 1) {
      await pause(300);
      expect(await transport.countWaiting(queue)).toBe(0);
    }
    // A claimed event would have to wait for its lease when the consumer is back.
    expect(await outbox.read(events[0] as EventRecord)).toMatchObject({ attempts: 1 });
    await space.start();
    await space.receive(transport, topic);
    await until('all acknowledged', () => outbox.isAwaiting(events));
    for (const event of events) expect(space.deliveries(event)).toBe(1);
  });

  test('the relay sends nothing again to a queue that is already long', async () => {
    const space = await startConsumer('space');
    const topic = await newTopic();
    const queue = queueName(topic, 'space');
    const waiting = Array.from({ length: 45 }, () => newEvent(topic, 'space'));
    for (const event of waiting) await transport.send([{ queue, event, attempt: 1 }]);
    const events = Array.from({ length: 20 }, () => newEvent(topic, 'space'));
    await outbox.insert(...events);
    await outbox.expireLease(...events);
    startTestRelay(space);
    for (let check = 0; check < 5; check += 1) {
      await pause(300);
      expect(await transport.countWaiting(queue)).toBe(45);
    }
    await space.receive(transport, topic);
    await until('all acknowledged', () => outbox.isAwaiting(events));
  });

  test('two relays share due events, and neither claims an event of the other', async () => {
    const space = await startConsumer('space');
    const topic = await newTopic(space);
    const events = Array.from({ length: 60 }, () => newEvent(topic, 'space'));
    await outbox.insert(...events);
    await outbox.expireLease(...events);
    startTestRelay(space);
    startTestRelay(space);
    await until('all acknowledged', () => outbox.isAwaiting(events));
    for (const event of events) {
      expect(space.deliveries(event)).toBe(1);
      expect(await outbox.read(event)).toEqual({ awaiting: [], attempts: 2 });
    }
  });

  test('a consumer that is down does not delay the events of another consumer', async () => {
    const space = await startConsumer('space');
    const mypage = await startConsumer('mypage');
    await mypage.stop();
    const topic = await newTopic(space);
    const events = Array.from({ length: 5 }, () => newEvent(topic, 'space', 'mypage'));
    await outbox.insert(...events);
    startTestRelay(space, mypage).publish(events);
    await until('acknowledged by space only', () => outbox.isAwaiting(events, 'mypage'));

    await mypage.start();
    await mypage.receive(transport, topic);
    await outbox.expireLease(...events);
    await until('acknowledged by both', () => outbox.isAwaiting(events));
    for (const event of events) expect(space.deliveries(event)).toBe(1);
  });
});
