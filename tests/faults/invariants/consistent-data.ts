import { randomUUID } from 'node:crypto';
import { topology } from '#contracts/topology.ts';
import { prismaViewStore } from '../../../subgraphs/mypage/src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { Records } from '../load/records.ts';
import {
  BLOCK,
  CUSTOMER,
  type Ending,
  HISTORIES,
  type HistoryEvent,
  inputFor,
  PRICE,
  REFUND,
  SPACE,
} from './booking-histories.ts';
import { insertChanges } from './consistent-changes.ts';
import { recordResponses } from './consistent-records.ts';

export type ContextDatabases = Record<'book' | 'payment' | 'space', TestDatabase>;

export interface ConsistentData {
  /** The id of the booking with each ending. */
  ids: Record<Ending, string>;
  /** The responses that its customer received. */
  records: Records;
}

/**
 * Replaces the contents of the databases by a block and bookings, each with another ending, as a system
 * without faults leaves them.
 */
export async function insertConsistentData(
  databases: ContextDatabases,
  viewsUrl: string,
): Promise<ConsistentData> {
  await deleteAll(databases, viewsUrl);
  await insertSpace(databases);
  await insertBlock(databases.book);
  const ids = {} as ConsistentData['ids'];
  const events: ProjectedEvent[] = [];
  for (const ending of Object.keys(HISTORIES) as Ending[]) {
    const id = randomUUID();
    ids[ending] = id;
    await insertBooking(databases.book, ending, id);
    const paymentId = await insertPayment(databases.payment, ending, id);
    const registrationId = await insertRegistration(databases.space, ending, id, paymentId);
    events.push(
      ...(await insertEvents(databases, ending, id, {
        booking: ['book', id],
        payment: ['payment', paymentId],
        registration: ['space', registrationId],
      })),
    );
  }
  await insertChanges(databases, ids.rescheduled);
  const prisma = await openViewDatabase(viewsUrl);
  await prismaViewStore(prisma).project(events);
  await prisma.$disconnect();
  return { ids, records: recordResponses(ids) };
}

async function deleteAll(
  { book, payment, space }: ContextDatabases,
  viewsUrl: string,
): Promise<void> {
  await book.query(
    'TRUNCATE booking, booking_change, block, slot_hold, catalogue_space, outbox, inbox, dead_letter, audit_entry',
  );
  await payment.query(
    'TRUNCATE payment, refund, goodwill_refund, payment_change, sandbox_charge, sandbox_refund, outbox, inbox',
  );
  await space.query('TRUNCATE space, registration, occupied_slot, outbox, inbox, audit_entry');
  const prisma = await openViewDatabase(viewsUrl);
  await prisma.bookingStatusView.deleteMany();
  await prisma.statusChange.deleteMany();
  await prisma.spaceView.deleteMany();
  await prisma.inboxEvent.deleteMany();
  await prisma.$disconnect();
}

async function insertSpace({ book, space }: ContextDatabases): Promise<void> {
  await space.query(
    `INSERT INTO space (id, host_id, name, description, address, time_zone, capacity, hourly_rate,
            currency, opening_hours, refund_tiers, version, listed_at)
     VALUES ($1, 'host', $2, '', '', 'Asia/Seoul', 4, ${PRICE}, 'KRW', '[]', '[]', 1, now())`,
    [SPACE.id, SPACE.name],
  );
  await insertAuditEntry(space, SPACE.id, 'listSpace', 'host');
  await book.query(
    `INSERT INTO catalogue_space (id, host_id, name, time_zone, capacity, hourly_rate, currency,
            opening_hours, refund_tiers, version)
     VALUES ($1, 'host', $2, 'Asia/Seoul', 4, ${PRICE}, 'KRW', '[]', '[]', 1)`,
    [SPACE.id, SPACE.name],
  );
}

async function insertBlock(book: TestDatabase): Promise<void> {
  const { id, key, startAt, endAt } = BLOCK;
  await book.query(
    `WITH held AS (
       INSERT INTO slot_hold (space_id, owner_id, block_id, start_at, end_at, live)
       VALUES ($2, $1, $1, $3, $4, TRUE))
     INSERT INTO block (id, space_id, host_id, start_at, end_at, reason, created_by, idempotency_key,
            version) VALUES ($1, $2, 'host', $3, $4, 'Repairs', 'host', $5, 1)`,
    [id, SPACE.id, startAt, endAt, key],
  );
  await insertAuditEntry(book, id, 'blockSlot', 'host');
}

async function insertBooking(book: TestDatabase, ending: Ending, id: string): Promise<void> {
  const last = HISTORIES[ending].booking.at(-1);
  const { startAt, endAt } = inputFor(ending);
  await book.query(
    `INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name, time_zone,
            start_at, end_at, headcount, price_amount, currency, refund_tiers, payment_method, status,
            live, version, requested_at, hold_expires_at, refund_amount, correlation_id, decision)
     VALUES ($1, $2, $3, $4, 'host', $5, 'Asia/Seoul', $6, $7, 1, ${PRICE}, 'KRW', '[]', 'pm_ok',
            $8::booking_status, $9, $10, now(), now(), $11, 'test', $12)`,
    [
      ...[id, CUSTOMER, ending, SPACE.id, SPACE.name, startAt, endAt, last?.status],
      ...[isRegistered(ending), last?.version, ending === 'cancelled' ? REFUND : null],
      ending === 'rejected' ? 'REJECTED' : null,
    ],
  );
  await insertAuditEntry(book, id, 'requestBooking', CUSTOMER);
  if (ending === 'cancelled') await insertAuditEntry(book, id, 'cancelBooking', CUSTOMER);
  if (ending === 'rejected') await insertAuditEntry(book, id, 'rejectBooking', 'host');
}

/** Returns the payment's id. */
async function insertPayment(
  payment: TestDatabase,
  ending: Ending,
  bookingId: string,
): Promise<string> {
  const id = randomUUID();
  const last = HISTORIES[ending].payment.at(-1);
  // A booking that its host rejected has no payment.
  if (!last) return id;
  const { startAt, endAt } = inputFor(ending);
  const refunded = ending === 'cancelled' ? REFUND : 0;
  await payment.query(
    `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
            payment_method, status, refunded, version, requested_at, correlation_id)
     VALUES ($1, $2, $3, $4, $5, $6, ${PRICE}, 'KRW', 'pm_ok', $7::payment_status, $8, $9, now(),
            'test')`,
    [id, bookingId, CUSTOMER, SPACE.id, startAt, endAt, last?.status, refunded, last?.version],
  );
  if (isCharged(ending)) {
    await payment.query(`INSERT INTO sandbox_charge VALUES ($1, 'APPROVED', ${PRICE}, 'KRW')`, [
      bookingId,
    ]);
  }
  if (refunded > 0) {
    await payment.query('INSERT INTO sandbox_refund VALUES ($1, $2)', [bookingId, refunded]);
    await payment.query(
      'INSERT INTO refund (payment_id, amount, settled_at) VALUES ($1, $2, now())',
      [id, refunded],
    );
  }
  return id;
}

/** Returns the registration's id. */
async function insertRegistration(
  space: TestDatabase,
  ending: Ending,
  bookingId: string,
  paymentId: string,
): Promise<string> {
  const id = randomUUID();
  const last = HISTORIES[ending].registration.at(-1);
  const { startAt, endAt } = inputFor(ending);
  if (last) {
    await space.query(
      `INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
              version) VALUES ($1, $2, $3, $4, $5, $6, $7::registration_status, $8)`,
      [
        ...[id, bookingId, isCharged(ending) ? paymentId : null, SPACE.id, startAt, endAt],
        ...[last.status, last.version],
      ],
    );
  }
  await space.query('INSERT INTO occupied_slot VALUES ($1, $2, $3, $4, $5, 1)', [
    ...[bookingId, SPACE.id, startAt, endAt, isRegistered(ending)],
  ]);
  return id;
}

/** Inserts the events of all three aggregates, acknowledged, and returns those that mypage projects. */
async function insertEvents(
  databases: ContextDatabases,
  ending: Ending,
  bookingId: string,
  aggregates: Record<ProjectedEvent['aggregate'], [producer: keyof ContextDatabases, id: string]>,
): Promise<ProjectedEvent[]> {
  const { startAt, endAt } = inputFor(ending);
  const booking = {
    bookingId,
    customerId: CUSTOMER,
    spaceId: SPACE.id,
    hostId: 'host',
    spaceName: SPACE.name,
    slot: { startAt: new Date(startAt), endAt: new Date(endAt) },
    price: { amount: PRICE, currency: 'KRW' },
    refund: { amount: 0, currency: 'KRW' },
    amount: PRICE,
  };
  const insert = async (
    aggregate: ProjectedEvent['aggregate'],
    { version, type, status, consumers, payload: differing }: HistoryEvent,
  ) => {
    const [producer, aggregateId] = aggregates[aggregate];
    const id = randomUUID();
    const occurredAt = new Date();
    const payload: object = {
      ...booking,
      status,
      refunded: status === 'PARTIALLY_REFUNDED' ? REFUND : 0,
      ...differing,
    };
    await databases[producer].query(
      `INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id, occurred_at,
              awaiting, next_attempt_at) VALUES ($1, $2, $3, 'topic', $4, $5, 'test', $6, '{}', now())`,
      [id, aggregateId, version, type, payload, occurredAt],
    );
    for (const consumer of consumers) {
      await databases[consumer].query('INSERT INTO inbox (event_id) VALUES ($1)', [id]);
    }
    return { id, version, occurredAt, aggregate, payload } as ProjectedEvent;
  };
  const projected: readonly string[] = topology.mypage.consumes;
  const inserted: ProjectedEvent[] = [];
  for (const aggregate of ['booking', 'payment', 'registration'] as const) {
    for (const each of HISTORIES[ending][aggregate]) {
      const event = await insert(aggregate, each);
      if (projected.includes(each.type)) inserted.push(event);
    }
  }
  return inserted;
}

function insertAuditEntry(
  database: TestDatabase,
  subjectId: string,
  action: string,
  userId: string,
) {
  return database.query(
    `INSERT INTO audit_entry (id, at, user_id, acted_as, action, subject_type, subject_id,
            correlation_id, details)
     VALUES ($1, now(), $2, 'customer', $3, 'test', $4, 'test', '{}')`,
    [randomUUID(), userId, action, subjectId],
  );
}

function isRegistered(ending: Ending): boolean {
  return ending === 'registered' || ending === 'rescheduled';
}

function isCharged(ending: Ending): boolean {
  return isRegistered(ending) || ending === 'cancelled';
}
