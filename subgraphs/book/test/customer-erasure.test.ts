import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { Erasure } from '#platform/operator/erasure.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { bookErasure, erasureStart } from '../src/adapters/customer-erasure.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import { aBooking } from './a-booking.ts';

const OLGA = { userId: 'olga', roles: ['operator'] as const };
let database: TestDatabase;
let prisma: PrismaClient;
let erasure: Erasure;

beforeAll(async () => {
  database = await createDatabase('book');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  erasure = bookErasure(database.pool);
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

/** A booking whose events are delivered; open where it has no status of its own. */
async function insertBooking(customerId: string, status?: string): Promise<string> {
  const store = prismaBookingStore(prisma, database.pool, { publish: () => {} });
  const booking = aBooking({ spaceId: uuidv7(), customerId, note: `I am ${customerId}` });
  await store.insert(booking, 5, { userId: customerId, role: 'customer' });
  const { id } = booking.state;
  if (status) {
    const live = !['CANCELLED', 'DECLINED', 'EXPIRED'].includes(status);
    const change = `UPDATE booking SET status = '${status}', live = ${live} WHERE id = $1`;
    await database.query(change, [id]);
  }
  await database.query(`UPDATE outbox SET awaiting = '{}' WHERE aggregate_id = $1`, [id]);
  return id;
}

const begin = (customerId: string) =>
  erasureStart(database.pool).Mutation.beginCustomerErasure(
    null,
    { customerId, reason: 'a test' },
    { principal: OLGA } as never,
  ) as Promise<{ pseudonym?: string; message?: string }>;

async function begun(customerId: string): Promise<string> {
  const { pseudonym } = await begin(customerId);
  expect(pseudonym).toMatch(/^erased-/);
  return pseudonym as string;
}

/** All steps, and how many there were. */
async function erase(customerId: string, pseudonym: string) {
  let [replaced, steps] = [0, 0];
  for (let after: string | null = null; steps === 0 || after; ) {
    const step = await erasure.erase({ customerId, pseudonym, after }, OLGA);
    replaced += step.replaced;
    after = step.next;
    steps += 1;
  }
  return { replaced, steps };
}

test('an erasure replaces the customer in the booking, its events and its audit entries', async () => {
  const [kim, lee] = [`kim-${randomUUID()}`, `lee-${randomUUID()}`];
  const [mine, other] = [
    await insertBooking(kim, 'CANCELLED'),
    await insertBooking(lee, 'CANCELLED'),
  ];
  const pseudonym = await begun(kim);
  await erase(kim, pseudonym);
  for (const [id, customer] of [
    [mine, pseudonym],
    [other, lee],
  ]) {
    const rows = await database.query(
      `SELECT customer_id AS who FROM booking WHERE id = $1
       UNION ALL SELECT payload ->> 'customerId' FROM outbox WHERE aggregate_id = $1
       UNION ALL SELECT user_id FROM audit_entry WHERE subject_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ who: customer }, { who: customer }, { who: customer }]);
    const notes = await database.query(
      `SELECT note FROM booking WHERE id = $1
       UNION ALL SELECT payload ->> 'note' FROM outbox WHERE aggregate_id = $1`,
      [id],
    );
    const note = customer === lee ? `I am ${lee}` : null;
    expect(notes).toEqual([{ note }, { note }]);
  }
  const erasures = await database.query(
    'SELECT customer_id, reason, begun_by, finished_at IS NOT NULL AS is_over FROM customer_erasure WHERE pseudonym = $1',
    [pseudonym],
  );
  expect(erasures).toEqual([
    { customer_id: null, reason: 'a test', begun_by: 'olga', is_over: true },
  ]);
});

test('an erasure processes an archive of any length, and can start again at any step', async () => {
  const kim = `kim-${randomUUID()}`;
  await insertBooking(kim, 'DECLINED');
  await database.query(
    `INSERT INTO event_archive (id, aggregate_id, version, topic, type, payload, correlation_id, occurred_at)
     SELECT gen_random_uuid(), gen_random_uuid(), 1, 'booking', 'Booked',
            jsonb_build_object('customerId', CASE WHEN n % 7 = 0 THEN $1 ELSE 'lee' END), 'test', now()
       FROM generate_series(1, 45000) AS n`,
    [kim],
  );
  const pseudonym = await begun(kim);
  await erasure.erase({ customerId: kim, pseudonym, after: null }, OLGA);
  expect(await begun(kim)).toBe(pseudonym);
  expect((await erase(kim, pseudonym)).steps).toBe(3);
  const rows = await database.query<{ who: string; count: number }>(
    `SELECT payload ->> 'customerId' AS who, count(*)::int FROM event_archive GROUP BY 1`,
  );
  expect(Object.fromEntries(rows.map(({ who, count }) => [who, count]))).toEqual({
    [pseudonym]: 6_428,
    lee: 38_572,
  });
  expect(await erase(kim, pseudonym)).toMatchObject({ replaced: 0 });
});

test.each([
  'AWAITING_APPROVAL',
  'REQUESTED',
  'PAYMENT_DEFERRED',
  'PAID',
  'REGISTERED',
  'CANCELLING',
])(
  'an erasure is refused, at its beginning and at its end, while a booking is %s',
  async (status) => {
    const kim = `kim-${randomUUID()}`;
    await insertBooking(kim, 'EXPIRED');
    const pseudonym = await begun(kim);
    const open = await insertBooking(kim, status);
    expect((await begin(kim)).message).toContain(`booking ${open} is not over`);
    await expect(erase(kim, pseudonym)).rejects.toThrow(`booking ${open} is not over`);
    const rows = await database.query('SELECT FROM booking WHERE customer_id = $1', [kim]);
    expect(rows).toHaveLength(2);
  },
);

test('an erasure is refused while an event is not delivered, and for an unknown customer', async () => {
  const kim = `kim-${randomUUID()}`;
  const id = await insertBooking(kim, 'CANCELLED');
  await database.query(`UPDATE outbox SET awaiting = '{mypage}' WHERE aggregate_id = $1`, [id]);
  expect((await begin(kim)).message).toContain('still being delivered');
  expect((await begin(randomUUID())).message).toContain('no such customer');
});

test('the audit log lets an erasure change who acted as a customer, and nothing else', async () => {
  const pseudonym = `erased-${randomUUID()}`;
  for (const change of [
    "UPDATE audit_entry SET user_id = 'mallory'",
    `UPDATE audit_entry SET user_id = '${pseudonym}', action = 'nothing'`,
    'DELETE FROM audit_entry',
    'TRUNCATE audit_entry',
  ]) {
    const erasing = "PERFORM set_config('spacerent.erasing_customer', 'on', true)";
    const all = `DO $$ BEGIN ${erasing}; ${change}; END $$`;
    await expect(database.query(all)).rejects.toThrow('append-only');
  }
  const outside = `UPDATE audit_entry SET user_id = '${pseudonym}'`;
  await expect(database.query(outside)).rejects.toThrow('append-only');
});
