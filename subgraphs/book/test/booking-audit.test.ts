import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { withCorrelation } from '#platform/observability/correlation.ts';
import { type AuditLog, postgresAuditLog } from '#platform/operator/audit.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import { cancelBooking } from '../src/application/cancel-booking.ts';
import type { Booking } from '../src/domain/booking.ts';
import type { BookingRequest } from '../src/domain/booking-request.ts';
import type { BookingStore, BookPorts } from '../src/ports.ts';
import { aBooking, legal, MANY_HOLDS, NOW } from './a-booking.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let store: BookingStore;
let audit: AuditLog;

beforeAll(async () => {
  database = await createDatabase('book');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  store = prismaBookingStore(prisma, database.pool, { publish: () => {} });
  audit = postgresAuditLog(database.pool);
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

/** A booking of a space that no other test books. */
const elsewhere = (changes: Partial<BookingRequest> = {}): Booking =>
  aBooking({ spaceId: uuidv7(), ...changes });
const asCustomer = ({ state }: Booking) => ({
  userId: state.customerId,
  role: 'customer' as const,
});
const request = async (booking: Booking, maxUnpaidHolds = MANY_HOLDS) => {
  const outcome = await store.insert(booking, maxUnpaidHolds, asCustomer(booking));
  return typeof outcome === 'string' ? outcome : 'held';
};

async function hold(changes: Partial<BookingRequest> = {}): Promise<Booking> {
  const booking = elsewhere(changes);
  const outcome = await store.insert(booking, MANY_HOLDS, asCustomer(booking));
  if (typeof outcome === 'string') throw new Error(outcome);
  return outcome;
}

/** Sets the end of the hold to `secondsAgo` before now, by the database's clock. */
const endHold = ({ state }: Booking, secondsAgo = 0) =>
  database.query(
    `UPDATE booking SET hold_expires_at = now() - $2::int * interval '1 second' WHERE id = $1`,
    [state.id, secondsAgo],
  );

const findEntries = ({ state }: Booking) =>
  audit.list({ subjectId: state.id, userId: null }, null, 10);
const findTransactions = (booking: Booking, version: number) =>
  database.query(
    `SELECT DISTINCT xmin::text FROM booking WHERE id = $1
     UNION SELECT xmin::text FROM outbox WHERE aggregate_id = $1 AND version = $2
     UNION (SELECT xmin::text FROM audit_entry WHERE subject_id = $1 ORDER BY id DESC LIMIT 1)`,
    [booking.state.id, version],
  );

const PRICE = { amount: 60_000, currency: 'KRW' };

test('the audit log records who requested a booking, in the transaction of the request', async () => {
  const booking = elsewhere({ customerId: 'yuna' });
  const by = { userId: 'yuna', role: 'operator' as const };
  await withCorrelation('the-request', () => store.insert(booking, MANY_HOLDS, by));
  expect(await findEntries(booking)).toMatchObject([
    {
      userId: 'yuna',
      actedAs: 'operator',
      action: 'requestBooking',
      subjectType: 'booking',
      correlationId: 'the-request',
      details: { spaceId: booking.state.spaceId, price: PRICE },
    },
  ]);
  expect(await findTransactions(booking, 1)).toHaveLength(1);
});

test('the audit log holds nothing of how it is paid', async () => {
  const booking = await hold({ paymentMethod: 'pm_secret', idempotencyKey: 'key_secret' });
  await store.saveAction(
    booking,
    legal(booking.cancel('host', NOW)),
    {
      userId: 'hana',
      role: 'host',
    },
    'cancelBooking',
  );
  expect(JSON.stringify(await findEntries(booking))).not.toContain('secret');
});

test('the audit log records no request that is refused or repeated', async () => {
  const spaceId = uuidv7();
  const first = await hold({ spaceId });
  const { customerId, idempotencyKey } = first.state;
  const overlapping = elsewhere({ spaceId });
  expect(await request(overlapping)).toBe('overlap');
  const repeated = elsewhere({ customerId, idempotencyKey });
  expect(await request(repeated)).toBe('key-used');
  expect([await findEntries(overlapping), await findEntries(repeated)]).toEqual([[], []]);
});

test('the audit log records the request that released a stale hold, and not the release', async () => {
  const stale = await hold();
  await endHold(stale);
  const booking = await hold({ spaceId: stale.state.spaceId });
  expect((await store.find(stale.state.id))?.state.status).toBe('EXPIRED');
  expect(await findEntries(stale)).toHaveLength(1);
  expect(await findEntries(booking)).toMatchObject([{ action: 'requestBooking' }]);
  expect(await findTransactions(booking, 1)).toHaveLength(1);
});

test('the audit log records who cancelled a booking and the refund, in the same transaction', async () => {
  const booking = await hold();
  const cancelling = legal(booking.cancel('host', NOW));
  const by = { userId: 'hana', role: 'host' as const };
  await withCorrelation('cancelled', () =>
    store.saveAction(booking, cancelling, by, 'cancelBooking'),
  );
  expect(await findEntries(booking)).toMatchObject([
    {
      userId: 'hana',
      actedAs: 'host',
      action: 'cancelBooking',
      subjectType: 'booking',
      correlationId: 'cancelled',
      details: { refund: PRICE },
    },
    { action: 'requestBooking' },
  ]);
  expect(await findTransactions(booking, 2)).toHaveLength(1);
});

test('the audit log records one of twenty concurrent cancellations, and no effect of events', async () => {
  const booking = await hold();
  const ports = { bookings: store, clock: () => NOW, log: () => {} } as unknown as BookPorts;
  const host = { userId: booking.state.hostId, isOperator: true };
  const results = await Promise.all(
    Array.from({ length: 20 }, () => cancelBooking(ports, host, booking.state.id)),
  );
  expect(results).toMatchObject(Array(20).fill({ role: 'host' }));
  expect(await cancelBooking(ports, host, booking.state.id)).toMatchObject({ role: 'host' });
  const cancelling = await store.find(booking.state.id);
  if (!cancelling) throw new Error('it is gone');
  await store.save(cancelling, legal(cancelling.completePaymentCancellation()), uuidv7());
  expect((await findEntries(booking)).map(({ action, actedAs }) => [action, actedAs])).toEqual([
    ['cancelBooking', 'host'],
    ['requestBooking', 'customer'],
  ]);
});

test('the audit log records no cancellation by a stranger or of a booking that cannot be cancelled', async () => {
  const booking = await hold();
  const after = booking.state.slot.endAt;
  const ports = { bookings: store, clock: () => after, log: () => {} } as unknown as BookPorts;
  for (const userId of ['a stranger', booking.state.customerId]) {
    const result = await cancelBooking(ports, { userId, isOperator: false }, booking.state.id);
    expect(result).toHaveProperty('type');
  }
  expect(await findEntries(booking)).toHaveLength(1);
});
