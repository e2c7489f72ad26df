import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { calendarNotifications } from '../src/adapters/calendar-notifications.ts';
import { registrationMoved, retryDueChanges } from '../src/application/change-saga.ts';
import type { Booking } from '../src/domain/booking.ts';
import type { BookPorts } from '../src/ports.ts';
import { aSpace, legal } from './a-booking.ts';
import { openChanges } from './a-change.ts';
import { aBlock, type CalendarStores, HOST, openCalendarStores } from './calendar-stores.ts';
import { hours, times } from './prisma-booking-store/booking-database.ts';

let opened: CalendarStores;
let stores: CalendarStores['stores'];

beforeAll(async () => {
  opened = await openCalendarStores();
  ({ stores } = opened);
});
afterAll(() => opened?.book.close());

describe('notifications of calendars', () => {
  async function notified(work: () => Promise<unknown>): Promise<string[]> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    opened.messages.length = 0;
    await work();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return opened.messages.flatMap((text) => JSON.parse(text));
  }

  test('what changes a calendar publishes the space’s id once, and what does not publishes nothing', async () => {
    const space = await opened.newSpace();
    const { id } = space;
    let booking: Booking | undefined;
    expect(
      await notified(async () => {
        booking = await opened.insert(space, 4, 6);
      }),
    ).toEqual([id]);
    const held = booking as Booking;
    const paid = legal(held.approvePayment());
    expect(await notified(() => stores.bookings.save(held, paid))).toEqual([]);
    const block = aBlock(space, 1, 3);
    expect(await notified(() => stores.blocks.insert(block, 10, HOST))).toEqual([id]);
    expect(await notified(() => stores.blocks.insert(aBlock(space, 1, 3), 10, HOST))).toEqual([]);
    expect(await notified(() => stores.blocks.remove(block, HOST))).toEqual([id]);
    expect(await notified(() => stores.blocks.remove(block, HOST))).toEqual([]);
    expect(await notified(() => opened.storeSpace({ ...space, version: 2 }))).toEqual([id]);
  });

  test('the beginning and the end of a change publish the space’s id, and so does its cancellation', async () => {
    const changes = openChanges(opened.book, stores);
    const booking = await changes.registered();
    const { spaceId } = booking.state;
    changes.payment.outcome = 'unknown';
    const request = { slot: hours(10, 13), expectedDifference: 30_000 };
    expect(await notified(() => changes.reschedule(booking, request))).toEqual([spaceId]);
    await changes.expire(booking);
    expect(await notified(() => retryDueChanges(changes.ports))).toEqual([spaceId]);

    changes.payment.outcome = 'approved';
    expect(await notified(() => changes.reschedule(booking, request))).toEqual([spaceId]);
    const { id, version } = (await changes.find(booking)).state;
    const moved = { id: uuidv7(), bookingId: id };
    expect(await notified(() => registrationMoved(changes.ports, moved, version))).toEqual([
      spaceId,
    ]);

    changes.payment.outcome = 'unknown';
    await changes.reschedule(booking, { slot: hours(20, 24), expectedDifference: 30_000 });
    expect(await notified(() => changes.cancel(booking))).toEqual([spaceId]);
  });

  test('changes of one moment share messages that PostgreSQL accepts', async () => {
    const published: string[] = [];
    const notifying = calendarNotifications({ publish: (text) => void published.push(text) });
    const catalogue: BookPorts['catalogue'] = { ...stores.catalogue, store: async () => {} };
    const notified = notifying.notifying({ ...stores, catalogue });
    const spaces = times(400, () => aSpace({ id: uuidv7() }));
    for (const space of spaces) await notified.catalogue.store(space, uuidv7());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(published.flatMap((text) => JSON.parse(text))).toEqual(spaces.map(({ id }) => id));
    expect(Math.max(...published.map((text) => Buffer.byteLength(text)))).toBeLessThan(7_900);
  });
});
