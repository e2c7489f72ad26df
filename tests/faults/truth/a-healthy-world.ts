import { randomUUID } from 'node:crypto';
import { prismaViewStore } from '../../../subgraphs/mypage/src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { Body } from '../load/records.ts';
import { Records } from '../load/records.ts';

export type Contexts = Record<'book' | 'payment' | 'space', TestDatabase>;

const PRICE = 10_000;
const HALF = PRICE / 2;
const SPACE = { id: randomUUID(), name: 'Room' };
const CUSTOMER = 'kim';

type Life = 'registered' | 'cancelled' | 'declined' | 'expired';
type Step = [version: number, type: string, status: string, awaitedBy: (keyof Contexts)[]];

/** What each context told of a booking in the course of its life. */
const LIVES: Record<Life, { booking: Step[]; payment: Step[]; registration: Step[] }> = {
  registered: {
    booking: [
      [1, 'Booked', 'REQUESTED', ['space']],
      [2, 'BookingPaid', 'PAID', ['space']],
      [3, 'BookingStatusChanged', 'REGISTERED', []],
    ],
    payment: [[2, 'PaymentApproved', 'APPROVED', ['space']]],
    registration: [[1, 'Registered', 'REGISTERED', ['book']]],
  },
  cancelled: {
    booking: [
      [1, 'Booked', 'REQUESTED', ['space']],
      [2, 'BookingPaid', 'PAID', ['space']],
      [3, 'BookingStatusChanged', 'REGISTERED', []],
      [4, 'BookingCancelled', 'CANCELLING', ['payment', 'space']],
      [6, 'BookingReleased', 'CANCELLED', ['payment', 'space']],
    ],
    payment: [
      [2, 'PaymentApproved', 'APPROVED', ['space']],
      [3, 'PaymentCancelled', 'PARTIALLY_REFUNDED', ['book']],
    ],
    registration: [
      [1, 'Registered', 'REGISTERED', ['book']],
      [2, 'RegistrationCancelled', 'CANCELLED', ['book']],
    ],
  },
  declined: {
    booking: [
      [1, 'Booked', 'REQUESTED', ['space']],
      [2, 'BookingReleased', 'DECLINED', ['payment', 'space']],
    ],
    payment: [[2, 'PaymentDeclined', 'DECLINED', []]],
    registration: [],
  },
  expired: {
    booking: [
      [1, 'Booked', 'REQUESTED', ['space']],
      [2, 'BookingStatusChanged', 'PAYMENT_DEFERRED', []],
      [3, 'BookingReleased', 'EXPIRED', ['payment', 'space']],
    ],
    payment: [[2, 'PaymentCancelled', 'VOIDED', ['book']]],
    registration: [[1, 'RegistrationCancelled', 'CANCELLED', ['book']]],
  },
};

export interface World {
  /** The id of the booking that led each life. */
  ids: Record<Life, string>;
  /** What its customer was told. */
  records: Records;
  space: typeof SPACE;
  bodyOf: (life: Life) => Body;
}

/** Four bookings, each at the end of another life, as a healthy system leaves them behind. */
export async function makeHealthyWorld(contexts: Contexts, viewsUrl: string): Promise<World> {
  await empty(contexts, viewsUrl);
  const { book, space } = contexts;
  await space.query(
    `INSERT INTO space (id, host_id, name, description, address, time_zone, capacity, hourly_rate,
            currency, opening_hours, refund_tiers, version, listed_at)
     VALUES ($1, 'host', $2, '', '', 'Asia/Seoul', 4, ${PRICE}, 'KRW', '[]', '[]', 1, now())`,
    [SPACE.id, SPACE.name],
  );
  await note(space, SPACE.id, 'listSpace', 'host');
  await book.query(
    `INSERT INTO catalogue_space (id, host_id, name, time_zone, capacity, hourly_rate, currency,
            opening_hours, refund_tiers, version)
     VALUES ($1, 'host', $2, 'Asia/Seoul', 4, ${PRICE}, 'KRW', '[]', '[]', 1)`,
    [SPACE.id, SPACE.name],
  );
  const ids = {} as World['ids'];
  const told: ProjectedEvent[] = [];
  for (const life of Object.keys(LIVES) as Life[]) {
    ids[life] = randomUUID();
    told.push(...(await live(contexts, life, ids[life])));
  }
  const prisma = await openViewDatabase(viewsUrl);
  await prismaViewStore(prisma).project(told);
  await prisma.$disconnect();
  return { ids, records: recordsOf(ids), space: SPACE, bodyOf };
}

async function live(contexts: Contexts, life: Life, id: string): Promise<ProjectedEvent[]> {
  const { book, payment, space } = contexts;
  const { booking, payment: paid, registration } = LIVES[life];
  const { startAt, endAt } = bodyOf(life);
  const status = booking.at(-1)?.[2];
  const isLive = status === 'REGISTERED';
  const isCharged = life === 'registered' || life === 'cancelled';
  const refunded = life === 'cancelled' ? HALF : 0;
  await book.query(
    `INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name, time_zone,
            start_at, end_at, headcount, price_amount, currency, refund_tiers, payment_method, status,
            live, version, requested_at, hold_expires_at, refund_amount, correlation_id)
     VALUES ($1, $2, $3, $4, 'host', $5, 'Asia/Seoul', $6, $7, 1, ${PRICE}, 'KRW', '[]', 'pm_ok',
            $8::booking_status, $9, $10, now(), now(), $11, 'test')`,
    [
      ...[id, CUSTOMER, life, SPACE.id, SPACE.name, startAt, endAt, status, isLive],
      ...[booking.at(-1)?.[0], life === 'cancelled' ? HALF : null],
    ],
  );
  await note(book, id, 'requestBooking', CUSTOMER);
  if (life === 'cancelled') await note(book, id, 'cancelBooking', CUSTOMER);
  const paymentId = randomUUID();
  await payment.query(
    `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
            payment_method, status, refunded, version, requested_at, correlation_id)
     VALUES ($1, $2, $3, $4, $5, $6, ${PRICE}, 'KRW', 'pm_ok', $7::payment_status, $8, $9, now(),
            'test')`,
    [
      ...[paymentId, id, CUSTOMER, SPACE.id, startAt, endAt, paid.at(-1)?.[2], refunded],
      paid.at(-1)?.[0],
    ],
  );
  if (isCharged) {
    await payment.query(`INSERT INTO sandbox_charge VALUES ($1, 'APPROVED', ${PRICE}, 'KRW')`, [
      id,
    ]);
  }
  if (refunded > 0) {
    await payment.query('INSERT INTO sandbox_refund VALUES ($1, $2)', [id, refunded]);
    await payment.query(
      'INSERT INTO refund (payment_id, amount, settled_at) VALUES ($1, $2, now())',
      [paymentId, refunded],
    );
  }
  const registrationId = randomUUID();
  const [version, , registered] = registration.at(-1) ?? [];
  if (registered) {
    await space.query(
      `INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
              version) VALUES ($1, $2, $3, $4, $5, $6, $7::registration_status, $8)`,
      [
        ...[registrationId, id, isCharged ? paymentId : null, SPACE.id, startAt, endAt],
        ...[registered, version],
      ],
    );
  }
  await space.query('INSERT INTO occupied_slot VALUES ($1, $2, $3, $4, $5, 1)', [
    ...[id, SPACE.id, startAt, endAt, isLive],
  ]);
  const facts = {
    bookingId: id,
    customerId: CUSTOMER,
    spaceName: SPACE.name,
    slot: { startAt: new Date(startAt), endAt: new Date(endAt) },
    price: { amount: PRICE, currency: 'KRW' },
  };
  const told = async (
    of: ProjectedEvent['aggregate'],
    from: keyof Contexts,
    aggregateId: string,
  ) => {
    const steps = LIVES[life][of];
    return Promise.all(steps.map((step) => tell(contexts, { of, from, aggregateId, step, facts })));
  };
  return [
    ...(await told('booking', 'book', id)),
    ...(await told('payment', 'payment', paymentId)),
    ...(await told('registration', 'space', registrationId)),
  ];
}

async function tell(
  contexts: Contexts,
  about: {
    of: ProjectedEvent['aggregate'];
    from: keyof Contexts;
    aggregateId: string;
    step: Step;
    facts: object;
  },
): Promise<ProjectedEvent> {
  const [version, type, status, takers] = about.step;
  const id = randomUUID();
  const occurredAt = new Date();
  const refunded = status === 'PARTIALLY_REFUNDED' ? HALF : 0;
  const facts = { ...about.facts, status, refunded };
  await contexts[about.from].query(
    `INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id, occurred_at,
            awaiting, next_attempt_at) VALUES ($1, $2, $3, 'topic', $4, $5, 'test', $6, '{}', now())`,
    [id, about.aggregateId, version, type, facts, occurredAt],
  );
  for (const taker of takers) {
    await contexts[taker].query('INSERT INTO inbox (event_id) VALUES ($1)', [id]);
  }
  return {
    id,
    version,
    occurredAt,
    aggregate: about.of,
    payload: facts,
  } as unknown as ProjectedEvent;
}

function note(database: TestDatabase, subjectId: string, action: string, userId: string) {
  return database.query(
    `INSERT INTO audit_entry (id, at, user_id, acted_as, action, subject_type, subject_id,
            correlation_id, details)
     VALUES ($1, now(), $2, 'customer', $3, 'test', $4, 'test', '{}')`,
    [randomUUID(), userId, action, subjectId],
  );
}

async function empty({ book, payment, space }: Contexts, viewsUrl: string): Promise<void> {
  await book.query('TRUNCATE booking, catalogue_space, outbox, inbox, dead_letter, audit_entry');
  await payment.query('TRUNCATE payment, refund, sandbox_charge, sandbox_refund, outbox, inbox');
  await space.query('TRUNCATE space, registration, occupied_slot, outbox, inbox, audit_entry');
  const prisma = await openViewDatabase(viewsUrl);
  await prisma.bookingStatusView.deleteMany();
  await prisma.statusChange.deleteMany();
  await prisma.inboxEvent.deleteMany();
  await prisma.$disconnect();
}

function bodyOf(life: Life): Body {
  const hour = Object.keys(LIVES).indexOf(life) + 10;
  return {
    spaceId: SPACE.id,
    startAt: `2040-01-01T${hour}:00:00.000Z`,
    endAt: `2040-01-01T${hour + 1}:00:00.000Z`,
    headcount: 1,
    paymentMethod: 'pm_ok',
  };
}

function recordsOf(ids: World['ids']): Records {
  const records = new Records();
  const asked = (key: Life, outcome: Records['requests'][number]['outcome']) =>
    records.requests.push({ customer: CUSTOMER, key, body: bodyOf(key), outcome });
  const ok = (key: Life, status: string) =>
    asked(key, { kind: 'ok', bookingId: ids[key], status, price: PRICE });
  ok('registered', 'PAID');
  ok('cancelled', 'PAID');
  asked('declined', { kind: 'refused', type: 'PaymentDeclined', bookingId: ids.declined });
  ok('expired', 'PAYMENT_DEFERRED');
  records.cancels.push({
    customer: CUSTOMER,
    bookingId: ids.cancelled,
    outcome: { kind: 'ok', status: 'CANCELLING', refund: HALF },
  });
  records.listings.push({ spaceId: SPACE.id, name: SPACE.name });
  return records;
}
