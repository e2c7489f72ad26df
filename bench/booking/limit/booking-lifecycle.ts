import { v7 as uuidv7 } from 'uuid';
import { type BookingFacts, bookingEvents } from '#contracts/book.ts';
import { type PaymentFacts, paymentEvents } from '#contracts/payment.ts';
import { spaceEvents } from '#contracts/space.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import {
  HOLDS_PAID,
  UPSERT_OCCUPANCY,
} from '../../../subgraphs/space/src/adapters/occupied-slots.ts';
import { type FreeSlot, HOURLY_RATE } from '../../system/spaces.ts';

/*
 * The SQL of one booking that goes well, in the order in which the contexts issue it, each statement
 * a transaction of its own as there. Copied by hand from the adapters of book, payment and space; the
 * report compares the rows that both write, so a copy that has fallen behind shows.
 */

const findSpace = statement<{ name: string; host_id: string; time_zone: string }>(
  'catalogue-by-id',
  `SELECT id, host_id, name, time_zone, capacity, hourly_rate, currency, opening_hours,
          refund_tiers, version
     FROM catalogue_space WHERE id = $1::uuid`,
);

const insertBooking = statement<{ held: boolean }>(
  'booking-request',
  `WITH held AS (
     INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
            time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
            payment_method, status, live, version, requested_at, hold_expires_at,
            payment_attempts, next_payment_attempt_at, correlation_id)
     VALUES ($1::uuid, $2, $3, $4::uuid, $5, $6, $7, $8, $9, $10, $11, $12::currency, $13::jsonb,
            $14, $15::booking_status, TRUE, $16, $17, $18, $19, $20, $21)
     ON CONFLICT DO NOTHING
  RETURNING id),
   told AS (${insertOutbox('$22', 'EXISTS (SELECT FROM held)')}),
   noted AS (${insertAuditEntry('$23', 'EXISTS (SELECT FROM held)')})
   SELECT EXISTS (SELECT FROM held) AS held`,
);

const saveBooking = statement<{ saved: boolean }>(
  'booking-save',
  `WITH changed AS (
     UPDATE booking
        SET status = $3::booking_status, live = $4, version = $5, next_payment_attempt_at = $6,
            refund_amount = $7, payment_cancelled = $8, registration_cancelled = $9
      WHERE id = $1::uuid AND version = $2
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = $10::uuid)
  RETURNING id),
   taken AS (
     INSERT INTO inbox (event_id) SELECT $10::uuid FROM changed WHERE $10::uuid IS NOT NULL),
   told AS (${insertOutbox('$11', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

const bookingForEvent = statement(
  'booking-for-event',
  `SELECT id, customer_id, idempotency_key, space_id, host_id, space_name, time_zone, start_at,
          end_at, headcount, price_amount, currency, refund_tiers, payment_method, status, version,
          requested_at, hold_expires_at, payment_attempts, next_payment_attempt_at, refund_amount,
          payment_cancelled, registration_cancelled, correlation_id,
          EXISTS (SELECT FROM inbox WHERE event_id = $2::uuid) AS taken
     FROM booking WHERE id = $1::uuid`,
);

const insertPayment = statement(
  'payment-request',
  `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
          payment_method, status, version, requested_at, correlation_id)
   VALUES ($1::uuid, $2::uuid, $3, $4::uuid, $5, $6, $7, $8::currency, $9, $10::payment_status,
          $11, $12, $13)
   ON CONFLICT (booking_id) DO NOTHING
   RETURNING id`,
);

const charge = statement(
  'sandbox-decide',
  `WITH decided AS (
     INSERT INTO sandbox_charge (key, outcome, amount, currency) VALUES ($1, $2, $3, $4)
     ON CONFLICT (key) DO NOTHING RETURNING outcome)
   SELECT outcome FROM decided
   UNION ALL
   SELECT outcome FROM sandbox_charge WHERE key = $1
   LIMIT 1`,
);

const savePayment = statement<{ saved: boolean }>(
  'payment-save',
  `WITH changed AS (
     UPDATE payment
        SET status = $3::payment_status, refunded = $4, decline_reason = $5, version = $6,
            approved_at = $7
      WHERE id = $1::uuid AND version = $2
  RETURNING id),
   settled AS (
     UPDATE refund SET settled_at = now(), next_attempt_at = NULL
      WHERE payment_id = $1::uuid AND $8::boolean AND EXISTS (SELECT FROM changed)),
   told AS (${insertOutbox('$9', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

const occupySlot = statement(
  'space-occupy',
  `WITH processed AS (
     INSERT INTO inbox (event_id) VALUES ($9::uuid) ON CONFLICT DO NOTHING)
   ${UPSERT_OCCUPANCY}`,
);

const insertRegistration = statement<{ made: boolean }>(
  'registration-insert',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING *),
   made AS (
     INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            version, registered_at)
     SELECT $9::uuid, booking_id, payment_id, space_id, start_at, end_at, 'REGISTERED', 1,
            $10::timestamptz
       FROM joined
      WHERE ${HOLDS_PAID} AND payment_id IS NOT NULL
        AND EXISTS (SELECT FROM space WHERE id = joined.space_id)
     ON CONFLICT DO NOTHING
  RETURNING id),
   processed AS (INSERT INTO inbox (event_id) VALUES ($11::uuid) ON CONFLICT DO NOTHING),
   published AS (${insertOutbox('$12', 'EXISTS (SELECT FROM made)')})
   SELECT EXISTS (SELECT FROM made) AS made`,
);

export interface LifeDatabases {
  book: Pool;
  payment: Pool;
  space: Pool;
  /** Takes an event into mypage; resolves when it is committed. */
  project(event: ProjectedEvent): Promise<void>;
  /** Remembers an event whose consumers are yet to be asked for their acknowledgement. */
  committed(outbox: 'book' | 'payment' | 'space', event: EventRecord): void;
}

const REFUND_TIERS = JSON.stringify([
  { daysBefore: 7, percent: 100 },
  { daysBefore: 1, percent: 50 },
]);

/** From the request to the last projection. The acknowledgements follow, many at a time. */
export async function liveOneBooking(
  db: LifeDatabases,
  customerId: string,
  slot: FreeSlot,
): Promise<void> {
  const now = new Date();
  const { spaceId, startAt, endAt } = slot;
  const bookingId = uuidv7();
  const paymentId = uuidv7();
  const correlationId = uuidv7();
  const times = { startAt: startAt.toISOString(), endAt: endAt.toISOString() };
  const facts: BookingFacts = {
    bookingId,
    customerId,
    spaceId,
    spaceName: '',
    slot: times,
    price: { amount: HOURLY_RATE, currency: 'KRW' },
    status: 'REQUESTED',
    refund: { amount: 0, currency: 'KRW' },
  };
  const projections: Promise<void>[] = [];
  const bookingEvent = (type: keyof typeof bookingEvents, version: number) =>
    newEvent(type, bookingEvents[type], {
      aggregateId: bookingId,
      version,
      occurredAt: new Date(),
      payload: { ...facts },
    });

  // book: requestBooking holds the slot.
  const [space] = await findSpace(db.book, spaceId);
  if (!space) throw new Error(`the space ${spaceId} is not in the catalogue`);
  facts.spaceName = space.name;
  const booked = bookingEvent('Booked', 1);
  const noted = newAuditEntry({
    userId: customerId,
    actedAs: 'customer',
    action: 'requestBooking',
    subjectType: 'booking',
    subjectId: bookingId,
    details: { spaceId, price: facts.price },
  });
  const [requested] = await insertBooking(
    db.book,
    bookingId,
    customerId,
    `bench-${bookingId}`,
    spaceId,
    space.host_id,
    space.name,
    space.time_zone,
    startAt,
    endAt,
    2,
    HOURLY_RATE,
    'KRW',
    REFUND_TIERS,
    'pm_ok',
    'REQUESTED',
    1,
    now,
    new Date(now.getTime() + 900_000),
    1,
    new Date(now.getTime() + 5_000),
    correlationId,
    JSON.stringify([booked]),
    JSON.stringify(noted),
  );
  mustBe(requested?.held, 'the slot held');
  db.committed('book', booked);
  projections.push(db.project(projected('booking', booked)));

  // payment: asked by book over HTTP.
  await insertPayment(
    db.payment,
    paymentId,
    bookingId,
    customerId,
    spaceId,
    startAt,
    endAt,
    HOURLY_RATE,
    'KRW',
    'pm_ok',
    'PENDING',
    1,
    now,
    correlationId,
  );
  await charge(db.payment, bookingId, 'APPROVED', HOURLY_RATE, 'KRW');
  const paymentFacts: PaymentFacts = {
    paymentId,
    bookingId,
    spaceId,
    slot: times,
    status: 'APPROVED',
    amount: HOURLY_RATE,
    refunded: 0,
    currency: 'KRW',
  };
  const approved = newEvent('PaymentApproved', paymentEvents.PaymentApproved, {
    aggregateId: paymentId,
    version: 2,
    occurredAt: new Date(),
    payload: paymentFacts,
  });
  const news = JSON.stringify([approved]);
  const approval = [paymentId, 1, 'APPROVED', 0, null, 2, new Date(), false, news];
  mustBe((await savePayment(db.payment, ...approval))[0]?.saved, 'the payment saved');
  db.committed('payment', approved);
  projections.push(db.project(projected('payment', approved)));

  // book: payment's answer.
  facts.status = 'PAID';
  const paid = bookingEvent('BookingPaid', 2);
  const payment = [bookingId, 1, 'PAID', true, 2, null, null, false, false, null];
  const [afterPaid] = await saveBooking(db.book, ...payment, JSON.stringify([paid]));
  mustBe(afterPaid?.saved, 'the booking saved as PAID');
  db.committed('book', paid);
  projections.push(db.project(projected('booking', paid)));

  // space: takes Booked, BookingPaid and PaymentApproved.
  const place = [bookingId, spaceId, startAt, endAt];
  await occupySlot(db.space, ...place, true, 1, 'REQUESTED', null, booked.id);
  const registrationId = uuidv7();
  const registered = newEvent('Registered', spaceEvents.Registered, {
    aggregateId: registrationId,
    version: 1,
    occurredAt: new Date(),
    payload: { registrationId, bookingId, paymentId, status: 'REGISTERED', reason: null },
  });
  const registering = [registrationId, new Date()];
  const told = JSON.stringify([registered]);
  const half = [...place, true, 2, 'PAID', null, ...registering, paid.id, told];
  await insertRegistration(db.space, ...half);
  const other = [...place, false, 0, null, paymentId, ...registering, approved.id, told];
  const [afterRegistered] = await insertRegistration(db.space, ...other);
  mustBe(afterRegistered?.made, 'the use registered');
  db.committed('space', registered);
  projections.push(db.project(projected('registration', registered)));

  // book: takes Registered.
  await bookingForEvent(db.book, bookingId, registered.id);
  facts.status = 'REGISTERED';
  const confirmed = bookingEvent('BookingStatusChanged', 3);
  const registration = [bookingId, 2, 'REGISTERED', true, 3, null, null, false, false];
  const [afterConfirmed] = await saveBooking(
    db.book,
    ...registration,
    registered.id,
    JSON.stringify([confirmed]),
  );
  mustBe(afterConfirmed?.saved, 'the booking saved as REGISTERED');
  db.committed('book', confirmed);
  projections.push(db.project(projected('booking', confirmed)));

  await Promise.all(projections);
}

function projected(of: ProjectedEvent['of'], event: EventRecord): ProjectedEvent {
  const { id, version, occurredAt, payload: facts } = event;
  return { id, version, occurredAt: new Date(occurredAt), of, facts } as ProjectedEvent;
}

function mustBe(isSo: boolean | undefined, what: string): void {
  if (!isSo) throw new Error(`the limit's SQL does not do what it should: not ${what}`);
}
