import { type PaymentPayload, paymentEvents } from '#contracts/payment.ts';
import { spaceEvents } from '#contracts/space.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { newAuditEntry } from '#platform/operator/audit.ts';
import { toOccupancyValues } from '../../../subgraphs/space/src/adapters/occupied-slots.ts';
import { type FreeSlot, HOURLY_RATE } from '../../system/spaces.ts';
import { LifecycleContext, type LifecycleDatabases, requireEffect } from './lifecycle-context.ts';
import * as book from './statements/book.ts';
import * as payment from './statements/payment.ts';
import * as space from './statements/space.ts';

const HOLD_MS = 900_000;
const PAYMENT_RETRY_MS = 5_000;
const REFUND_TIERS = JSON.stringify([
  { daysBefore: 7, percent: 100 },
  { daysBefore: 1, percent: 50 },
]);

/**
 * Runs the SQL of one booking that succeeds, from the request to the last projection, in the order in which the
 * contexts run it; each statement is a transaction of its own. The acknowledgements follow in batches.
 */
export async function runLifecycle(
  db: LifecycleDatabases,
  customerId: string,
  slot: FreeSlot,
): Promise<void> {
  const context = new LifecycleContext(db, customerId, slot);
  const booked = await reserveSlot(context);
  const approved = await approvePayment(context);
  const paid = await saveAsPaid(context);
  const registered = await registerUse(context, { booked, paid, approved });
  await saveAsRegistered(context, registered);
  await context.allProjected();
}

/** book: requestBooking reserves the slot. */
async function reserveSlot(context: LifecycleContext): Promise<EventRecord> {
  const { db, bookingId, payload, correlationId } = context;
  const { spaceId, startAt, endAt } = context.slot;
  const now = new Date();
  const [found] = await book.findSpace(db.book, spaceId);
  if (!found) throw new Error(`the space ${spaceId} is not in the catalogue`);
  payload.spaceName = found.name;
  const booked = context.bookingEvent('Booked', 1);
  const auditEntry = newAuditEntry({
    userId: payload.customerId,
    actedAs: 'customer',
    action: 'requestBooking',
    subjectType: 'booking',
    subjectId: bookingId,
    details: { spaceId, price: payload.price },
  });
  const place = [spaceId, found.host_id, found.name, found.time_zone, startAt, endAt];
  const [requested] = await book.insertBooking(
    db.book,
    bookingId,
    payload.customerId,
    `bench-${bookingId}`,
    ...place,
    2,
    HOURLY_RATE,
    'KRW',
    REFUND_TIERS,
    'pm_ok',
    'REQUESTED',
    1,
    now,
    new Date(now.getTime() + HOLD_MS),
    1,
    new Date(now.getTime() + PAYMENT_RETRY_MS),
    correlationId,
    JSON.stringify([booked]),
    JSON.stringify(auditEntry),
  );
  requireEffect(requested?.inserted, 'the slot is reserved');
  context.publish('book', booked);
  return booked;
}

/** payment: book requests it over HTTP. */
async function approvePayment(context: LifecycleContext): Promise<EventRecord> {
  const { db, bookingId, paymentId, payload } = context;
  const { spaceId, startAt, endAt } = context.slot;
  await payment.insertPayment(
    db.payment,
    paymentId,
    bookingId,
    payload.customerId,
    spaceId,
    startAt,
    endAt,
    HOURLY_RATE,
    'KRW',
    'pm_ok',
    'PENDING',
    1,
    new Date(),
    context.correlationId,
  );
  await payment.charge(db.payment, bookingId, 'APPROVED', HOURLY_RATE, 'KRW');
  const paymentPayload: PaymentPayload = {
    paymentId,
    bookingId,
    spaceId,
    slot: payload.slot,
    status: 'APPROVED',
    amount: HOURLY_RATE,
    refunded: 0,
    goodwill: 0,
    currency: 'KRW',
  };
  const approved = newEvent('PaymentApproved', paymentEvents.PaymentApproved, {
    aggregateId: paymentId,
    version: 2,
    occurredAt: new Date(),
    payload: paymentPayload,
  });
  const change = [paymentId, 1, 'APPROVED', 0, null, 2, new Date(), false];
  const [row] = await payment.savePayment(db.payment, ...change, JSON.stringify([approved]));
  requireEffect(row?.saved, 'the payment is saved');
  context.publish('payment', approved);
  return approved;
}

/** book: payment's response. */
async function saveAsPaid(context: LifecycleContext): Promise<EventRecord> {
  context.payload.status = 'PAID';
  const paid = context.bookingEvent('BookingPaid', 2);
  const change = [context.bookingId, 1, 'PAID', true, 2, null, null, false, false, null];
  const [row] = await book.saveBooking(context.db.book, ...change, JSON.stringify([paid]));
  requireEffect(row?.saved, 'the booking is saved as PAID');
  context.publish('book', paid);
  return paid;
}

/** space: consumes Booked, BookingPaid and PaymentApproved. */
async function registerUse(
  context: LifecycleContext,
  events: Record<'booked' | 'paid' | 'approved', EventRecord>,
): Promise<EventRecord> {
  const { db, bookingId, paymentId, registrationId } = context;
  const { spaceId, startAt, endAt } = context.slot;
  const use = { bookingId, spaceId, slot: { startAt, endAt } };
  const requested = toOccupancyValues({ ...use, status: 'REQUESTED', version: 1 });
  await space.occupySlot(db.space, { ...requested, eventId: events.booked.id });
  const registered = newEvent('Registered', spaceEvents.Registered, {
    aggregateId: registrationId,
    version: 1,
    occurredAt: new Date(),
    payload: { registrationId, bookingId, paymentId, status: 'REGISTERED', reason: null },
  });
  const registration = {
    id: registrationId,
    now: new Date(),
    events: JSON.stringify([registered]),
  };
  // The first of the two events finds the other half of its join missing, and registers nothing.
  const paid = toOccupancyValues({ ...use, status: 'PAID', version: 2 });
  await space.insertRegistration(db.space, { ...paid, ...registration, eventId: events.paid.id });
  const approved = toOccupancyValues({ ...use, paymentId });
  const [row] = await space.insertRegistration(db.space, {
    ...{ ...approved, ...registration, eventId: events.approved.id },
  });
  requireEffect(row?.inserted, 'the use is registered');
  context.publish('space', registered);
  return registered;
}

/** book: consumes Registered. */
async function saveAsRegistered(context: LifecycleContext, registered: EventRecord): Promise<void> {
  const { db, bookingId } = context;
  await book.findForEvent(db.book, bookingId, registered.id);
  context.payload.status = 'REGISTERED';
  const confirmed = context.bookingEvent('BookingStatusChanged', 3);
  const change = [bookingId, 2, 'REGISTERED', true, 3, null, null, false, false, registered.id];
  const [row] = await book.saveBooking(db.book, ...change, JSON.stringify([confirmed]));
  requireEffect(row?.saved, 'the booking is saved as REGISTERED');
  context.publish('book', confirmed);
}
