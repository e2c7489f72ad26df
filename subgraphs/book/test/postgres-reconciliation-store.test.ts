import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { until } from '../../../tests/support/system.ts';
import { postgresReconciliationStore } from '../src/adapters/postgres-reconciliation-store.ts';
import type { Violation } from '../src/domain/consistency.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase('book');
});
beforeEach(async () => {
  await database.query('TRUNCATE reconciliation_source, invariant_violation');
});
afterAll(async () => {
  await database?.drop();
});

const newStore = () => postgresReconciliationStore(database.pool, 3_600);
const violation = (bookingId: string, changes: Partial<Violation> = {}): Violation => ({
  bookingId,
  invariant: 'view-shows-the-booking',
  detail: 'no view',
  ...changes,
});

/** A second ago: the column's milliseconds are rounded, so `now()` may still lie ahead of the next statement. */
const expireLeases = () =>
  database.query("UPDATE reconciliation_source SET leased_until = now() - interval '1 second'");

describe('the reconciliation store', () => {
  test('the store leases a source to one of ten concurrent replicas', async () => {
    const leases = await Promise.all(Array.from({ length: 10 }, () => newStore().lease('book')));
    expect(leases.filter((position) => position !== null)).toHaveLength(1);
  });

  test('the store leases a source again where the last comparison ended, once its lease has expired', async () => {
    const store = newStore();
    const eventId = uuidv7();
    await store.lease('payment');
    await store.advance('payment', eventId, false);
    expect(await store.lease('payment')).toBeNull();
    await expireLeases();
    expect(await store.lease('payment')).toBe(eventId);
  });

  test('the store does not lease a source that is caught up until the interval has passed', async () => {
    const store = newStore();
    await store.lease('space');
    await store.advance('space', uuidv7(), true);
    expect(await store.lease('space')).toBeNull();
    const [row] = await database.query<{ seconds: number }>(
      'SELECT extract(epoch FROM leased_until - now())::float AS seconds FROM reconciliation_source',
    );
    expect(row?.seconds).toBeGreaterThan(3_000);
  });

  test('the store leases a source again after the interval when its comparison failed', async () => {
    const store = postgresReconciliationStore(database.pool, 0);
    const position = await store.lease('book');
    await store.release('book');
    // The rounded end of an interval of 0 s may lie ahead by less than a millisecond.
    const again = await until('the source is leased', () => store.lease('book'));
    expect(again).toBe(position);
  });

  test('the store reports a violation once, and removes it when the booking violates nothing any more', async () => {
    const store = newStore();
    const [sound, broken] = [uuidv7(), uuidv7()];
    const found = [violation(broken), violation(broken, { invariant: 'registered-is-confirmed' })];
    expect(await store.record([sound, broken], found)).toHaveLength(2);
    expect(await store.record([sound, broken], found)).toEqual([]);
    expect(await store.openViolations()).toEqual([broken]);
    expect(await store.record([broken], [violation(broken)])).toEqual([]);
    expect(await store.openByInvariant()).toEqual([
      { invariant: 'view-shows-the-booking', count: 1 },
    ]);
    await store.record([broken], []);
    expect(await store.openViolations()).toEqual([]);
  });

  test('the store keeps the violations of bookings that were not compared', async () => {
    const store = newStore();
    const [one, other] = [uuidv7(), uuidv7()];
    await store.record([one], [violation(one)]);
    await store.record([other], []);
    expect(await store.openViolations()).toEqual([one]);
  });
});
