import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import Fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { createMetrics } from '#platform/observability/metrics.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';
import { eventually } from '../../../tests/support/system.ts';
import { bookingSearch } from '../src/adapters/booking-search.ts';
import { holidayCalendar } from '../src/adapters/holiday-calendar.ts';
import { overdueBookings } from '../src/adapters/overdue-bookings.ts';
import { type PaymentClient, paymentClient } from '../src/adapters/payment-client.ts';
import { postgresBlockStore } from '../src/adapters/postgres-block-store.ts';
import { postgresChangeStore } from '../src/adapters/postgres-change-store.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import { prismaCatalogue } from '../src/adapters/prisma-catalogue.ts';
import { retryDuePayments } from '../src/application/booking-saga.ts';
import { requestBooking } from '../src/application/request-booking.ts';
import { Booking } from '../src/domain/booking.ts';
import type { BookingRequest } from '../src/domain/booking-request.ts';
import type { BookPorts } from '../src/ports.ts';
import { aRequest, aSpace, MANY_HOLDS } from './a-booking.ts';

const SHORT_TIMEOUT_MS = 1_500;
/** For a slow machine: payment responds at once. */
const LONG_TIMEOUT_MS = 20_000;
/** The time after which an open circuit lets one call through. */
const RESET_MS = 5_000;
/** All but the timeouts and intervals, which a circuit uses. */
const REAL_CLOCKS = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
] as const;
const PER_SECOND = 20;
const DAY_MS = 24 * 3_600_000;

let database: TestDatabase;
let prisma: PrismaClient;
let payment: FastifyInstance;
let payments: PaymentClient;
let ports: BookPorts;
let impatient: BookPorts & { payments: PaymentClient };
let others: BookPorts & { payments: PaymentClient };
const metrics = createMetrics('test');
let response: 'APPROVED' | 'DECLINED' | 'PENDING' | 'broken' | 'silent' = 'APPROVED';
let called = 0;
let abandoned = 0;

beforeAll(async () => {
  payment = Fastify({ forceCloseConnections: true });
  payment.post('/graphql', async (request, reply) => {
    called += 1;
    if (response === 'broken') return reply.code(503).send({});
    if (response === 'silent') {
      request.raw.socket.once('close', () => {
        abandoned += 1;
      });
      return new Promise(() => {});
    }
    return { data: { approvePayment: { status: response } } };
  });
  const url = await payment.listen({ host: '127.0.0.1', port: 0 });

  database = await createDatabase('book');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  // The circuit's clock stands still until a test advances it, however slow the machine is.
  jest.useFakeTimers({ doNotFake: [...REAL_CLOCKS] });
  const openClient = (timeoutMs: number, own = createMetrics('own')) =>
    paymentClient(url, async () => 'Bearer test', timeoutMs, own, silent);
  payments = openClient(LONG_TIMEOUT_MS, metrics);
  ports = {
    bookings: prismaBookingStore(prisma, database.pool, { publish: () => {} }),
    changes: postgresChangeStore(database.pool, { publish: () => {} }),
    blocks: postgresBlockStore(database.pool, { publish: () => {} }),
    catalogue: prismaCatalogue(prisma, database.pool),
    holidays: holidayCalendar(database.pool),
    payments,
    search: bookingSearch(database.pool),
    overdue: overdueBookings(database.pool),
    inquiries: {
      isPaymentClosed: async () => false,
      findRegistrationStatus: async () => 'unknown',
    },
    clock: () => new Date(),
    wait: async () => {},
    newId: uuidv7,
    correlationId: () => 'test',
    resume: (_booking, work) => work(),
    holdSeconds: 600,
    maxUnpaidHolds: MANY_HOLDS,
    deferredPerSecond: PER_SECOND,
    log: () => {},
  };
  impatient = { ...ports, payments: openClient(SHORT_TIMEOUT_MS) };
  others = { ...ports, payments: openClient(LONG_TIMEOUT_MS) };
  await ports.catalogue.store(aSpace(), uuidv7());
});

afterAll(async () => {
  jest.useRealTimers();
  await payments?.close();
  await impatient?.payments.close();
  await others?.payments.close();
  await payment?.close();
  await prisma?.$disconnect();
  await database?.drop();
});

let hours = 0;

/** For an hour that no other test books. */
function nextRequest(): BookingRequest {
  hours += 1;
  const startAt = new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS + hours * 3_600_000);
  return aRequest({ slot: { startAt, endAt: new Date(startAt.getTime() + 3_600_000) } });
}

/** Books such an hour. Returns the status in the response. */
async function request(through = ports): Promise<string> {
  const result = await requestBooking(through, nextRequest(), 'customer');
  return result instanceof Booking ? result.state.status : result.type;
}

const requestMany = (count: number, through = ports) =>
  Promise.all(Array.from({ length: count }, () => request(through)));
const deferred = async () =>
  (
    await database.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM booking WHERE status = 'PAYMENT_DEFERRED'",
    )
  )[0]?.count;

const notCalled = async () => {
  const text = await metrics.metrics();
  return Number(
    /spacerent_payment_calls_total\{outcome="not-called",[^}]*\} (\d+)/.exec(text)?.[1] ?? 0,
  );
};

describe('while payment responds', () => {
  test('declines are responses: any number of them leaves the circuit closed', async () => {
    response = 'DECLINED';
    expect(new Set(await requestMany(30))).toEqual(new Set(['PaymentDeclined']));
    expect(payments.circuit()).toBe('closed');
  });
});

describe('while payment does not respond', () => {
  test('a call without a response is aborted, and the booking is deferred', async () => {
    response = 'silent';
    expect(await request(impatient)).toBe('PAYMENT_DEFERRED');
    await eventually(async () => expect(abandoned).toBe(1));
  });

  test('the circuit opens once half of at least 20 calls failed; then payment is not called', async () => {
    response = 'broken';
    expect(new Set(await requestMany(40))).toEqual(new Set(['PAYMENT_DEFERRED']));
    expect(payments.circuit()).toBe('open');
    expect(await metrics.metrics()).toContain(
      'spacerent_payment_circuit{state="open",service="test"} 1',
    );

    // Some of the forty may have come after the circuit opened.
    const notCalledBefore = await notCalled();
    called = 0;
    expect(new Set(await requestMany(20))).toEqual(new Set(['PAYMENT_DEFERRED']));
    await database.query('UPDATE booking SET next_payment_attempt_at = now()');
    await retryDuePayments(ports);
    expect([called, await deferred()]).toEqual([0, 61]);
    expect((await notCalled()) - notCalledBefore).toBe(20);
  });

  test('expired holds release their slots while payment does not respond', async () => {
    await database.query(
      `UPDATE booking SET hold_expires_at = now()
        WHERE id = (SELECT id FROM booking WHERE status = 'PAYMENT_DEFERRED' LIMIT 1)`,
    );
    await retryDuePayments(ports);
    expect([called, await deferred()]).toEqual([0, 60]);
  });
});

describe('when payment is back', () => {
  test('one call probes payment after an outage, then deferred payments are retried within the rate limit', async () => {
    response = 'APPROVED';
    jest.advanceTimersByTime(RESET_MS);
    expect(payments.circuit()).toBe('half-open');
    await retryDuePayments(ports);
    expect([called, await deferred(), payments.circuit()]).toEqual([1, 59, 'closed']);
    for (let left = 49; left >= -1; left -= 10) {
      await retryDuePayments(ports);
      expect(await deferred()).toBe(Math.max(0, left));
    }
    expect(called).toBe(60);
  });
});

// With a client of their own, whose circuit has seen no failure.
describe('payments that are pending', () => {
  test('pending payments are responses: thirty of them leave the circuit closed for others', async () => {
    response = 'PENDING';
    expect(new Set(await requestMany(30, others))).toEqual(new Set(['PAYMENT_DEFERRED']));
    expect(others.payments.circuit()).toBe('closed');
    response = 'APPROVED';
    expect(await request(others)).toBe('PAID');
  });
});

describe('a customer who holds as many unpaid slots as allowed', () => {
  test('a customer at the limit of unpaid holds is refused another one with the limit; a repeated request is not refused', async () => {
    response = 'PENDING';
    const limited = { ...others, maxUnpaidHolds: 2 };
    const requests = [nextRequest(), nextRequest(), nextRequest()] as const;
    const customerId = 'yuna';
    const book = (one: BookingRequest) =>
      requestBooking(limited, { ...one, customerId }, 'customer');
    const [first] = [await book(requests[0]), await book(requests[1])];
    expect(await book(requests[2])).toEqual({
      type: 'TooManyPendingBookings',
      message: 'You hold 2 slots that are not paid yet, and may not hold more.',
      limit: 2,
    });
    expect(await book(requests[0])).toEqual(first);
  });
});

describe('a repeated request', () => {
  test('a repeated request has the result of the first one after the payment method is erased, another is refused', async () => {
    response = 'APPROVED';
    const first = nextRequest();
    const book = (one: BookingRequest) => requestBooking(others, one, 'customer');
    const booking = await book(first);
    expect(booking).toMatchObject({ state: { status: 'PAID', paymentMethod: '' } });
    expect(await book(first)).toEqual(booking);
    expect(await book({ ...first, paymentMethod: 'pm_other' })).toMatchObject({
      type: 'IdempotencyKeyReused',
    });
  });
});
