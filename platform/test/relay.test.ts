import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ContextName, Topology } from '#contracts/topology.ts';
import { createDatabase, silent, type TestDatabase } from '../../tests/support/database.ts';
import { inTransaction, statement } from '../database/postgres.ts';
import { type EventRecord, queueName } from '../messaging/events.ts';
import { claimDueEvents, insertOutbox } from '../messaging/outbox.ts';
import { HELD_PATH } from '../messaging/peer-inboxes.ts';
import { openTransport, type Transport } from '../messaging/queue.ts';
import { type Relay, startRelay } from '../messaging/relay.ts';
import { createMetrics } from '../observability/metrics.ts';

let database: TestDatabase;
let queueDatabase: TestDatabase;
let transport: Transport;
const consumers: Consumer[] = [];
let relays: Relay[] = [];
let topics = 0;

beforeAll(async () => {
  // Payment's outbox stands for all of them: the table is the same everywhere.
  [database, queueDatabase] = await Promise.all([createDatabase('payment'), createDatabase()]);
  transport = openTransport({ QUEUE_DATABASE_URL: queueDatabase.url }, silent);
});

afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  relays = [];
  await database.query("UPDATE outbox SET awaiting = '{}'");
});

afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.goDown()));
  await transport?.stopReceiving();
  await transport?.close();
  await Promise.all([database?.drop(), queueDatabase?.drop()]);
});

/** A consumer with a real worker and a real HTTP inbox. What it receives it holds, when told to. */
class Consumer {
  readonly name: ContextName;
  readonly received: string[] = [];
  readonly held = new Set<string>();
  holds = true;
  url = '';
  private port = 0;
  private server: FastifyInstance | undefined;

  constructor(name: ContextName) {
    this.name = name;
    consumers.push(this);
  }

  async comeUp(): Promise<this> {
    this.server = Fastify({ forceCloseConnections: true });
    this.server.post<{ Body: { ids: string[] } }>(HELD_PATH, async ({ body }) => ({
      held: body.ids.filter((id) => this.held.has(id)),
    }));
    this.url = await this.server.listen({ host: '127.0.0.1', port: this.port });
    this.port = Number(new URL(this.url).port);
    return this;
  }

  async goDown(): Promise<void> {
    await this.server?.close();
    this.server = undefined;
  }

  async receive(topic: string): Promise<void> {
    await transport.receive(queueName(topic, this.name), 4, async (batch) => {
      for (const { id } of batch) {
        this.received.push(id);
        if (this.holds) this.held.add(id);
      }
    });
  }

  times(event: EventRecord): number {
    return this.received.filter((id) => id === event.id).length;
  }
}

function relay(...peers: Consumer[]): Relay {
  const inboxUrls = Object.fromEntries(peers.map(({ name, url }) => [name, url]));
  const started = startRelay({
    pool: database.pool,
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
function contextsFor(peers: readonly Consumer[]): Topology {
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

/** A topic of the test's own, so that no other test's consumer takes its events. */
async function topicFor(...takers: Consumer[]): Promise<string> {
  topics += 1;
  const topic = `topic-${topics}`;
  await Promise.all(takers.map((consumer) => consumer.receive(topic)));
  return topic;
}

function newEvent(topic: string, ...awaiting: Consumer[]): EventRecord {
  return {
    id: uuidv7(),
    topic,
    type: 'Tested',
    aggregateId: uuidv7(),
    version: 1,
    schemaVersion: 1,
    occurredAt: new Date().toISOString(),
    correlationId: 'test',
    payload: { any: 'thing' },
    awaiting: awaiting.map(({ name }) => name),
  };
}

const insertEvents = statement('test-insert', insertOutbox('$1'));
const commit = (...events: EventRecord[]) => insertEvents(database.pool, JSON.stringify(events));
/** As if the lease of whoever has sent them had run out. */
const endLease = (...events: EventRecord[]) =>
  database.query("UPDATE outbox SET next_attempt_at = now() - interval '1 s' WHERE id = ANY($1)", [
    events.map(({ id }) => id),
  ]);
async function rowOf(event: EventRecord) {
  const [row] = await database.query<{ awaiting: string[]; attempts: number }>(
    'SELECT awaiting, attempts FROM outbox WHERE id = $1',
    [event.id],
  );
  return row;
}
/** Do exactly these consumers remain to acknowledge each of the events? */
async function areAwaiting(events: readonly EventRecord[], ...names: ContextName[]) {
  const rows = await database.query(
    'SELECT FROM outbox WHERE id = ANY($1::uuid[]) AND awaiting = $2::text[]',
    [events.map(({ id }) => id), names],
  );
  return rows.length === events.length;
}
const isFinished = (event: EventRecord) => areAwaiting([event]);

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await pause(20);
  }
}

describe('the relay', () => {
  test('carries a committed event to every consumer and finishes it when both hold it', async () => {
    const space = await new Consumer('space').comeUp();
    const mypage = await new Consumer('mypage').comeUp();
    const event = newEvent(await topicFor(space, mypage), space, mypage);
    await commit(event);
    relay(space, mypage).publish([event]);
    await until('acknowledged', () => isFinished(event));
    expect([space.times(event), mypage.times(event)]).toEqual([1, 1]);
    expect(await rowOf(event)).toEqual({ awaiting: [], attempts: 1 });
  });

  test('that was given nothing to send still sends what comes next, before its lease ends', async () => {
    const space = await new Consumer('space').comeUp();
    const event = newEvent(await topicFor(space), space);
    const sender = relay(space);
    sender.publish([]);
    await commit(event);
    sender.publish([event]);
    await until('acknowledged', () => isFinished(event));
    // A second attempt would mean that the lease had to run out first.
    expect(await rowOf(event)).toEqual({ awaiting: [], attempts: 1 });
  });

  test('does not send an acknowledged event again, whatever its lease says', async () => {
    const space = await new Consumer('space').comeUp();
    const topic = await topicFor(space);
    const event = newEvent(topic, space);
    await commit(event);
    relay(space).publish([event]);
    await until('acknowledged', () => isFinished(event));

    const later = newEvent(topic, space);
    await commit(later);
    await endLease(event, later);
    await until('the loop over due events has passed', () => isFinished(later));
    expect(space.times(event)).toBe(1);
    expect(await rowOf(event)).toMatchObject({ attempts: 1 });
  });

  test('asks before it sends again: a due event that is held already is only acknowledged', async () => {
    const space = await new Consumer('space').comeUp();
    const event = newEvent(await topicFor(space), space);
    space.held.add(event.id);
    await commit(event);
    await endLease(event);
    relay(space);
    await until('acknowledged', () => isFinished(event));
    expect(space.times(event)).toBe(0);
  });

  test('sends an event whose process died after its commit, once the first lease is over', async () => {
    const space = await new Consumer('space').comeUp();
    const event = newEvent(await topicFor(space), space);
    await commit(event);
    const committedAt = Date.now();
    relay(space);
    await until('received', () => space.times(event) === 1);
    expect(Date.now() - committedAt).toBeGreaterThan(4_500);
    await until('acknowledged', () => isFinished(event));
    expect(await rowOf(event)).toMatchObject({ attempts: 2 });
  });

  test('sends an event again for as long as its consumer does not hold it', async () => {
    const space = await new Consumer('space').comeUp();
    space.holds = false;
    const event = newEvent(await topicFor(space), space);
    await commit(event);
    relay(space).publish([event]);
    for (const attempt of [1, 2, 3]) {
      await until(`received ${attempt} times`, () => space.times(event) === attempt);
      expect(await rowOf(event)).toEqual({ awaiting: ['space'], attempts: attempt });
      if (attempt === 3) space.holds = true;
      await endLease(event);
    }
    await until('acknowledged', () => isFinished(event));
  });

  test('sends an event that commits later than one with a greater id', async () => {
    const space = await new Consumer('space').comeUp();
    const topic = await topicFor(space);
    const [early, late] = [newEvent(topic, space), newEvent(topic, space)];
    await inTransaction(database.pool, async (db) => {
      await insertEvents(db, JSON.stringify([early]));
      await commit(late);
      await endLease(late);
      relay(space);
      await until('the later one is acknowledged', () => isFinished(late));
    });
    expect(space.times(early)).toBe(0);
    await endLease(early);
    await until('the earlier one is acknowledged', () => isFinished(early));
    expect([space.times(early), space.times(late)]).toEqual([1, 1]);
  });

  test('does not fill the queue of a consumer that is down, and goes on once it is back', async () => {
    const space = await new Consumer('space').comeUp();
    const topic = await topicFor();
    await space.goDown();
    const events = Array.from({ length: 30 }, () => newEvent(topic, space));
    await commit(...events);
    await endLease(...events);
    relay(space);
    const queue = queueName(topic, 'space');
    for (let turn = 0; turn < 5; turn += 1) {
      await pause(300);
      expect(await transport.waiting(queue)).toBe(0);
    }
    // Not claimed either: nothing is to wait for a lease when it comes back.
    expect(await rowOf(events[0] as EventRecord)).toMatchObject({ attempts: 1 });
    await space.comeUp();
    await space.receive(topic);
    await until('all acknowledged', () => areAwaiting(events));
    for (const event of events) expect(space.times(event)).toBe(1);
  });

  test('sends nothing again to a queue that is long already', async () => {
    const space = await new Consumer('space').comeUp();
    const topic = await topicFor();
    const queue = queueName(topic, 'space');
    const waiting = Array.from({ length: 45 }, () => newEvent(topic, space));
    for (const event of waiting) await transport.send([{ queue, event, attempt: 1 }]);
    const events = Array.from({ length: 20 }, () => newEvent(topic, space));
    await commit(...events);
    await endLease(...events);
    relay(space);
    for (let turn = 0; turn < 5; turn += 1) {
      await pause(300);
      expect(await transport.waiting(queue)).toBe(45);
    }
    await space.receive(topic);
    await until('all acknowledged', () => areAwaiting(events));
  });

  test('shares due events with another relay: none is claimed by both', async () => {
    const space = await new Consumer('space').comeUp();
    const topic = await topicFor(space);
    const events = Array.from({ length: 60 }, () => newEvent(topic, space));
    await commit(...events);
    await endLease(...events);
    relay(space);
    relay(space);
    await until('all acknowledged', () => areAwaiting(events));
    for (const event of events) {
      expect(space.times(event)).toBe(1);
      expect(await rowOf(event)).toEqual({ awaiting: [], attempts: 2 });
    }
  });

  test('does not let a consumer that is down hold back another', async () => {
    const space = await new Consumer('space').comeUp();
    const mypage = await new Consumer('mypage').comeUp();
    await mypage.goDown();
    const topic = await topicFor(space);
    const events = Array.from({ length: 5 }, () => newEvent(topic, space, mypage));
    await commit(...events);
    relay(space, mypage).publish(events);
    await until('acknowledged by space only', () => areAwaiting(events, 'mypage'));

    await mypage.comeUp();
    await mypage.receive(topic);
    await endLease(...events);
    await until('acknowledged by both', () => areAwaiting(events));
    for (const event of events) expect(space.times(event)).toBe(1);
  });
});

describe('claiming due events', () => {
  test('gives each to one of several at once, no more than asked for, and leases it', async () => {
    const nobody = new Consumer('book');
    const events = Array.from({ length: 30 }, () => newEvent('nowhere', nobody));
    const finished = { ...newEvent('nowhere'), awaiting: [] };
    await commit(...events, finished);
    expect(await claimDueEvents(database.pool, 100, ['nowhere.book'])).toEqual([]);

    await endLease(...events, finished);
    const claims = await Promise.all(
      [1, 2, 3, 4].map(() => claimDueEvents(database.pool, 7, ['nowhere.book'])),
    );
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(7);
    const rest = await claimDueEvents(database.pool, 100, ['nowhere.book']);
    const claimed = [...claims.flat(), ...rest];
    expect(claimed.map(({ event }) => event.id).sort()).toEqual(events.map(({ id }) => id).sort());
    for (const { attempt } of claimed) expect(attempt).toBe(2);
    expect(claimed.find(({ event }) => event.id === events[0]?.id)?.event).toEqual(events[0]);
    expect(await claimDueEvents(database.pool, 100, ['nowhere.book'])).toEqual([]);
  });

  test('lengthens the lease only of those that are sent to all their consumers', async () => {
    const [book, mypage] = [new Consumer('book'), new Consumer('mypage')];
    const event = newEvent('nowhere', book, mypage);
    await commit(event);
    const leaseAfter = async (queues: string[]) => {
      await endLease(event);
      const [claimed] = await claimDueEvents(database.pool, 1, queues);
      expect(claimed?.event.id).toBe(event.id);
      const [row] = await database.query<{ seconds: number }>(
        `SELECT round(extract(epoch FROM next_attempt_at - now()))::int AS seconds
           FROM outbox WHERE id = $1`,
        [event.id],
      );
      return row?.seconds;
    };
    // As if it had been sent often.
    await database.query('UPDATE outbox SET attempts = 4 WHERE id = $1', [event.id]);
    expect(await leaseAfter(['nowhere.book'])).toBeLessThanOrEqual(5);
    expect(await leaseAfter(['nowhere.book', 'nowhere.mypage'])).toBeGreaterThan(30);
  });

  test('passes over those that another relay is claiming, without waiting for it', async () => {
    const nobody = new Consumer('book');
    const busy = newEvent('nowhere', nobody);
    const idle = newEvent('nowhere', nobody);
    await commit(busy, idle);
    await endLease(busy, idle);
    const claimed = await database.whileLocked(
      `SELECT FROM outbox WHERE id = '${busy.id}' FOR UPDATE`,
      () => claimDueEvents(database.pool, 10, ['nowhere.book']),
    );
    expect(claimed.map(({ event }) => event.id)).toEqual([idle.id]);
  });
});
