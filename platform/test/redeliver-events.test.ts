import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Topology } from '#contracts/topology.ts';
import { archiveAcknowledged } from '../messaging/archive.ts';
import type { EventRecord } from '../messaging/events.ts';
import { redeliverEvents, redeliverPage } from '../messaging/redelivery.ts';
import { newEvent, TestOutbox } from './relay-outbox.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Space and mypage consume what payment publishes. */
const contexts: Topology = {
  payment: {
    publishes: { Tested: { topic: 'tested', payload: undefined as never } },
    consumes: [],
  },
  space: { publishes: {}, consumes: ['Tested'] },
  mypage: { publishes: {}, consumes: ['Tested'] },
  book: { publishes: {}, consumes: [] },
};
const toMyPage = { publisher: 'payment', consumer: 'mypage', from: NIL };

let outbox: TestOutbox;

beforeAll(async () => {
  outbox = await TestOutbox.open();
});
afterEach(() => outbox.database.query('DELETE FROM outbox'));
afterAll(() => outbox?.database.drop());

/** Events that all consumers have acknowledged, the first half of them archived. */
async function insertAcknowledged(count: number): Promise<EventRecord[]> {
  const events = Array.from({ length: count }, () => newEvent('tested'));
  await outbox.insert(...events);
  const range = { after: NIL, before: events[count / 2]?.id ?? LAST };
  await archiveAcknowledged(outbox.database.pool, range, count);
  return events;
}

describe('redeliverEvents', () => {
  test('acknowledged events await the consumer again, and no other one, archived or not', async () => {
    const events = await insertAcknowledged(4);
    expect(await redeliverEvents(outbox.database.pool, toMyPage, contexts)).toBe(4);
    expect(await outbox.isAwaiting(events, 'mypage')).toBe(true);
    expect(await outbox.database.query('SELECT FROM event_archive')).toEqual([]);
    expect(await redeliverEvents(outbox.database.pool, toMyPage, contexts)).toBe(0);
  });

  test('events that await another consumer go on to await it', async () => {
    const event = newEvent('tested', 'space');
    await outbox.insert(event);
    await redeliverEvents(outbox.database.pool, toMyPage, contexts);
    expect((await outbox.read(event))?.awaiting).toEqual(['space', 'mypage']);
  });

  test('events before the least id, and of types that the consumer does not consume, are left alone', async () => {
    const [older, newer] = await insertAcknowledged(2);
    const from = newer?.id ?? '';
    expect(await redeliverEvents(outbox.database.pool, { ...toMyPage, from }, contexts)).toBe(1);
    const toBook = { ...toMyPage, consumer: 'book' };
    expect(await redeliverEvents(outbox.database.pool, toBook, contexts)).toBe(0);
    await outbox.database.query('DELETE FROM event_archive WHERE id = $1', [older?.id]);
  });

  test('more events than a page are redelivered page by page, each once', async () => {
    const events = await insertAcknowledged(2_400);
    const sizes: number[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof redeliverPage>> = await redeliverPage(
        outbox.database.pool,
        toMyPage,
        after,
        contexts,
      );
      sizes.push(page.events);
      after = page.next;
    } while (after);
    expect(sizes).toEqual([1_000, 200, 0, 1_000, 200, 0]);
    expect(await outbox.isAwaiting(events, 'mypage')).toBe(true);
  });
});
