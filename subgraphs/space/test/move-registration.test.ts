import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { moveRegistration } from '../src/application/move-registration.ts';
import type { PublishedBooking } from '../src/domain/published-booking.ts';
import type { PaidUse } from '../src/domain/registration.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';
import { hours, testUses, toPaid } from './a-use.ts';

let context: SpaceContext;
let uses: ReturnType<typeof testUses>;

beforeAll(async () => {
  context = await openSpaceContext();
  uses = testUses(context);
});
afterAll(() => context?.stop());

async function registered(changes: Partial<PaidUse> = {}): Promise<PaidUse> {
  const use = await uses.aUse(changes);
  expect(await uses.register(use)).toBe('done');
  return use;
}

/** The booking in another slot, as book publishes it. */
const rescheduled = (use: PaidUse, slot: PaidUse['slot'], version = 5): PublishedBooking => ({
  ...toPaid(use),
  slot,
  status: 'REGISTERED',
  version,
});
const move = (use: PaidUse, slot: PaidUse['slot'], version?: number, eventId = uuidv7()) =>
  moveRegistration(context.ports, rescheduled(use, slot, version), eventId);
const slotOf = async (use: PaidUse) => (await uses.findState(use))?.slot;

describe('the registration of a rescheduled booking', () => {
  test('moves to the new slot, and its event names the version of the booking', async () => {
    const use = await registered();
    const eventId = uuidv7();
    expect(await move(use, hours(4, 6), 5, eventId)).toBe('done');
    expect(await uses.findState(use)).toMatchObject({
      slot: hours(4, 6),
      status: 'REGISTERED',
      version: 2,
    });
    expect(await uses.isProcessed(eventId)).toBe(true);
    expect(await uses.publishedTypes(use)).toEqual(['Registered', 'RegistrationMoved']);
    const { payload } = context.published.at(-1) as { payload: object };
    expect(payload).toMatchObject({ bookingId: use.bookingId, bookingVersion: 5 });
    // The old slot is free for others, and the new one is not.
    const other = await uses.aUse({ spaceId: use.spaceId });
    await uses.register(other);
    expect((await uses.findState(other))?.status).toBe('REGISTERED');
    const late = await uses.aUse({ spaceId: use.spaceId, slot: hours(5, 7) });
    await uses.register(late);
    expect((await uses.findState(late))?.status).toBe('REJECTED');
  });

  test('is published as moved also where only the headcount changed', async () => {
    const use = await registered();
    expect(await move(use, use.slot)).toBe('done');
    expect(await uses.publishedTypes(use)).toEqual(['Registered', 'RegistrationMoved']);
  });

  test('moves once for each event, and not back for an older one', async () => {
    const use = await registered();
    const eventId = uuidv7();
    expect(await move(use, hours(8, 10), 7, eventId)).toBe('done');
    expect(await move(use, hours(8, 10), 7, eventId)).toBe('done');
    const older = uuidv7();
    expect(await move(use, hours(4, 6), 5, older)).toBe('done');
    expect(await slotOf(use)).toEqual(hours(8, 10));
    expect(await uses.isProcessed(older)).toBe(true);
    expect(await uses.publishedTypes(use)).toEqual(['Registered', 'RegistrationMoved']);
  });

  test('waits while another registration has the slot', async () => {
    const use = await registered();
    const rival = await registered({ spaceId: use.spaceId, slot: hours(4, 6) });
    const eventId = uuidv7();
    expect(await move(use, hours(5, 7), 5, eventId)).toBe('contested');
    expect(await slotOf(use)).toEqual(hours(0, 2));
    expect(await uses.isProcessed(eventId)).toBe(false);
    await uses.cancel(rival);
    expect(await move(use, hours(5, 7), 5, eventId)).toBe('done');
    expect(await slotOf(use)).toEqual(hours(5, 7));
  });

  test('stays cancelled when the cancellation came first', async () => {
    const use = await registered();
    await uses.cancel(use);
    const eventId = uuidv7();
    expect(await move(use, hours(4, 6), 3, eventId)).toBe('done');
    expect((await uses.findState(use))?.status).toBe('CANCELLED');
    expect(await uses.isProcessed(eventId)).toBe(true);
    const other = await uses.aUse({ spaceId: use.spaceId, slot: hours(4, 6) });
    await uses.register(other);
    expect((await uses.findState(other))?.status).toBe('REGISTERED');
  });

  test('is moved or cancelled, never both halves, when both come at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const use = await registered();
      await Promise.all([move(use, hours(4, 6), 3), uses.cancel(use)]);
      expect((await uses.findState(use))?.status).toBe('CANCELLED');
      expect(await uses.publishedTypes(use)).toEqual(
        expect.arrayContaining(['Registered', 'RegistrationCancelled']),
      );
    }
  });
});
