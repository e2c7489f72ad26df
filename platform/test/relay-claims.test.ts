import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { claimDueEvents } from '../messaging/outbox.ts';
import { newEvent, TestOutbox } from './relay-outbox.ts';

let outbox: TestOutbox;

beforeAll(async () => {
  outbox = await TestOutbox.open();
});

afterEach(() => outbox.finishAll());

afterAll(() => outbox?.database.drop());

describe('claiming due events', () => {
  test('concurrent claims return each due event once, at most the requested number, and lease it', async () => {
    const events = Array.from({ length: 30 }, () => newEvent('nowhere', 'book'));
    const finished = newEvent('nowhere');
    await outbox.insert(...events, finished);
    expect(await claimDueEvents(outbox.database.pool, 100, ['nowhere.book'])).toEqual([]);

    await outbox.expireLease(...events, finished);
    const claims = await Promise.all(
      [1, 2, 3, 4].map(() => claimDueEvents(outbox.database.pool, 7, ['nowhere.book'])),
    );
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(7);
    const rest = await claimDueEvents(outbox.database.pool, 100, ['nowhere.book']);
    const claimed = [...claims.flat(), ...rest];
    expect(claimed.map(({ event }) => event.id).sort()).toEqual(events.map(({ id }) => id).sort());
    for (const { attempt } of claimed) expect(attempt).toBe(2);
    expect(claimed.find(({ event }) => event.id === events[0]?.id)?.event).toEqual(events[0]);
    expect(await claimDueEvents(outbox.database.pool, 100, ['nowhere.book'])).toEqual([]);
  });

  test('a claim extends the lease only of events that are sent to all their consumers', async () => {
    const event = newEvent('nowhere', 'book', 'mypage');
    await outbox.insert(event);
    const leaseAfter = async (queues: string[]) => {
      await outbox.expireLease(event);
      const [claimed] = await claimDueEvents(outbox.database.pool, 1, queues);
      expect(claimed?.event.id).toBe(event.id);
      const [row] = await outbox.database.query<{ seconds: number }>(
        `SELECT round(extract(epoch FROM next_attempt_at - now()))::int AS seconds
           FROM outbox WHERE id = $1`,
        [event.id],
      );
      return row?.seconds;
    };
    // The lease grows with the number of attempts.
    await outbox.database.query('UPDATE outbox SET attempts = 4 WHERE id = $1', [event.id]);
    expect(await leaseAfter(['nowhere.book'])).toBeLessThanOrEqual(5);
    expect(await leaseAfter(['nowhere.book', 'nowhere.mypage'])).toBeGreaterThan(30);
  });

  test('a claim skips events that another relay is claiming, without waiting', async () => {
    const busy = newEvent('nowhere', 'book');
    const idle = newEvent('nowhere', 'book');
    await outbox.insert(busy, idle);
    await outbox.expireLease(busy, idle);
    const claimed = await outbox.database.whileLocked(
      `SELECT FROM outbox WHERE id = '${busy.id}' FOR UPDATE`,
      () => claimDueEvents(outbox.database.pool, 10, ['nowhere.book']),
    );
    expect(claimed.map(({ event }) => event.id)).toEqual([idle.id]);
  });
});
