import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { removeEndedSlots } from '../src/adapters/occupied-slots.ts';
import { cancelRegistration } from '../src/application/cancel-registration.ts';
import { registerUse } from '../src/application/register-use.ts';
import type { BookingStatus, PublishedBooking } from '../src/domain/published-booking.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';

const HOUR_MS = 3_600_000;
const KEEP_HOURS = 24;

let context: SpaceContext | undefined;

beforeEach(async () => {
  context ??= await openSpaceContext();
  await context.database.query('TRUNCATE occupied_slot, registration');
});

afterAll(() => context?.stop());

const openedContext = () => context as SpaceContext;
const remove = (limit = 100) => removeEndedSlots(openedContext().database.pool, KEEP_HOURS, limit);
const rows = () =>
  openedContext().database.query<{ booking_id: string; live: boolean }>(
    'SELECT booking_id, live FROM occupied_slot ORDER BY end_at',
  );

/** A booking whose slot ended `hoursAgo`. */
async function anEndedBooking(hoursAgo: number, status: BookingStatus = 'REQUESTED', version = 1) {
  const endAt = new Date(Date.now() - hoursAgo * HOUR_MS);
  const slot = { startAt: new Date(endAt.getTime() - HOUR_MS), endAt };
  const spaceId = (await openedContext().list()).id;
  const booking: PublishedBooking = { bookingId: uuidv7(), spaceId, slot, status, version };
  return booking;
}
const storeOccupancy = (booking: PublishedBooking) =>
  openedContext().ports.spaces.storeOccupancy(booking, uuidv7());
const approve = ({ bookingId, spaceId, slot }: PublishedBooking) =>
  registerUse(openedContext().ports, { bookingId, spaceId, slot, paymentId: uuidv7() }, uuidv7());

test('slots that ended long ago are removed, oldest first, within the limit', async () => {
  for (const hoursAgo of [23, 60, 25, 40]) await storeOccupancy(await anEndedBooking(hoursAgo));
  expect(await remove(2)).toBe(2);
  expect(await rows()).toHaveLength(2);
  expect(await remove()).toBe(1);
  expect(await remove()).toBe(0);
  expect(await rows()).toHaveLength(1);
});

test('a row that waits for payment or book is kept, and registered when both have published', async () => {
  const paid = await anEndedBooking(100, 'PAID', 2);
  const approved = await anEndedBooking(100);
  await registerUse(openedContext().ports, paid, uuidv7());
  await approve(approved);
  expect(await remove()).toBe(0);
  await approve(paid);
  await registerUse(openedContext().ports, { ...approved, status: 'PAID', version: 2 }, uuidv7());
  for (const { bookingId } of [paid, approved]) {
    const registration = await openedContext().ports.registrations.findByBooking(bookingId);
    expect(registration?.state.status).toBe('REGISTERED');
  }
  expect(await remove()).toBe(2);
});

test('a late event about a removed slot registers nothing, and is removed again', async () => {
  const paid = await anEndedBooking(100, 'PAID', 2);
  await registerUse(openedContext().ports, paid, uuidv7());
  await approve(paid);
  await cancelRegistration(
    openedContext().ports,
    { ...paid, status: 'CANCELLING', version: 4 },
    uuidv7(),
  );
  expect(await remove()).toBe(1);
  await registerUse(openedContext().ports, paid, uuidv7());
  await approve(paid);
  await storeOccupancy({ ...paid, status: 'REQUESTED', version: 1 });
  const registration = await openedContext().ports.registrations.findByBooking(paid.bookingId);
  expect(registration?.state.status).toBe('CANCELLED');
  expect(await remove()).toBe(1);
  expect(await rows()).toEqual([]);
});

test('a registration has the plain slot of a booking with buffers, whichever event comes first', async () => {
  for (const paymentFirst of [true, false]) {
    const paid = await anEndedBooking(-100, 'PAID', 2);
    const hold = {
      startAt: new Date(paid.slot.startAt.getTime() - HOUR_MS),
      endAt: new Date(paid.slot.endAt.getTime() + HOUR_MS),
    };
    const registerPaid = () => registerUse(openedContext().ports, { ...paid, hold }, uuidv7());
    if (paymentFirst) await approve(paid);
    await registerPaid();
    if (!paymentFirst) await approve(paid);
    const { registrations } = openedContext().ports;
    expect((await registrations.findByBooking(paid.bookingId))?.state).toMatchObject({
      status: 'REGISTERED',
      slot: paid.slot,
    });
    const [row] = await openedContext().database.query(
      'SELECT hold_start_at, hold_end_at FROM occupied_slot WHERE booking_id = $1',
      [paid.bookingId],
    );
    expect(row).toEqual({ hold_start_at: hold.startAt, hold_end_at: hold.endAt });
  }
});

test('a block that ended long ago is removed, and registers nothing', async () => {
  const { spaceId, slot } = await anEndedBooking(50);
  const block = { blockId: uuidv7(), spaceId, slot, isBlocked: true, version: 1 };
  await openedContext().ports.spaces.storeOccupancy(block, uuidv7());
  expect(await rows()).toEqual([{ booking_id: block.blockId, live: true }]);
  expect(await remove()).toBe(1);
  expect(await openedContext().database.query('SELECT FROM registration')).toEqual([]);
});

test('two processes remove each slot once, and skip rows that are locked', async () => {
  for (let index = 0; index < 20; index += 1)
    await storeOccupancy(await anEndedBooking(50 + index));
  const [locked] = await rows();
  const removed = await openedContext().database.whileLocked(
    `SELECT FROM occupied_slot WHERE booking_id = '${locked?.booking_id}' FOR UPDATE`,
    () => Promise.all([remove(), remove()]),
  );
  expect(removed.reduce((sum, count) => sum + count)).toBe(19);
  expect(await remove()).toBe(1);
});
