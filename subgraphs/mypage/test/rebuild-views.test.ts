import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../../../tests/support/system.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { prismaViewVersions } from '../src/adapters/prisma-view-versions.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';
import { bookingEvent, wholeHistory } from './a-history.ts';
import { openRebuilds, type Rebuilds } from './a-rebuild.ts';
import { newBooking, projectAll } from './a-view-database.ts';
import { engines } from './engines.ts';

describe.each(engines)('a rebuild of the views on $name', (engine) => {
  let rebuilds: Rebuilds;

  beforeAll(async () => {
    rebuilds = await openRebuilds(engine);
  });

  afterAll(() => rebuilds?.database.close());

  test('a rebuild equals the live generation, replaces it, and is written from then on', async () => {
    const bookings = Array.from({ length: 30 }, newBooking);
    const histories = bookings.map(wholeHistory);
    for (const events of histories) await rebuilds.publishAndProject(events);
    const before = await rebuilds.generations.live();
    const result = await rebuilds.completeRebuild();
    expect(result).toMatchObject({
      state: 'SWITCHED',
      differences: 0,
      eventsRead: 270,
      eventsTotal: 270,
      viewsCompared: 30,
    });
    expect(await rebuilds.generations.live()).toBe(result.generation);
    expect(result.generation).toBeGreaterThan(before);

    const next = newBooking();
    await rebuilds.publishAndProject([bookingEvent(1, 'REQUESTED', next)]);
    const readers = prismaViewStore(rebuilds.prisma);
    expect(await readers.find(next.customerId, next.bookingId)).not.toBeNull();
    for (const [index, { customerId, bookingId }] of bookings.entries()) {
      const view = await readers.find(customerId, bookingId);
      expect(view).toEqual(projectAll(histories[index] as ProjectedEvent[]));
    }
    const ids = histories.flat().map(({ id }) => id);
    expect((await readers.findRecorded(ids)).length).toBe(ids.length);
  });

  test('a rebuild misses no event that is projected meanwhile, also of bookings that it projects', async () => {
    const bookings = Array.from({ length: 40 }, newBooking);
    const histories = bookings.map(wholeHistory);
    for (const events of histories) await rebuilds.publishAndProject(events.slice(0, 3));
    const begun = await rebuilds.rebuild().start();
    const projectors = rebuilds.database.clients.map((client) => prismaViewStore(client));
    await Promise.all(
      histories.map(async (events, index) => {
        // Contexts store events before they send them; some are delivered twice, to several projectors.
        rebuilds.history.add(...events.slice(3));
        const projector = projectors[index % projectors.length];
        await projector?.project(events.slice(3, 6));
        await projectors[(index + 1) % projectors.length]?.project(events.slice(5));
      }),
    );
    expect(await rebuilds.untilEnded(begun?.generation)).toMatchObject({
      state: 'SWITCHED',
      differences: 0,
    });
    const readers = prismaViewStore(rebuilds.prisma);
    for (const [index, { customerId, bookingId }] of bookings.entries()) {
      const view = await readers.find(customerId, bookingId);
      expect(view).toEqual(projectAll(histories[index] as ProjectedEvent[]));
    }
  });

  test('a rebuild waits for events that the live generation is yet to process', async () => {
    const late = Array.from({ length: 3 }, () => wholeHistory(newBooking()));
    for (const events of late) rebuilds.history.add(...events);
    const begun = await rebuilds.rebuild().start();
    await until('the generations are found to differ', async () => {
      const latest = await rebuilds.generations.latest();
      return latest?.state === 'COMPARING' && latest.differences > 0;
    });
    for (const events of late) await rebuilds.views.project(events);
    expect(await rebuilds.untilEnded(begun?.generation)).toMatchObject({
      state: 'SWITCHED',
      differences: 0,
    });
  });

  test('a rebuild finds each kind of difference, keeps the live generation, and repairs it on request', async () => {
    const bookings = Array.from({ length: 4 }, newBooking);
    const [changed, deleted, shortened, extra] = bookings as [
      (typeof bookings)[0],
      (typeof bookings)[0],
      (typeof bookings)[0],
      (typeof bookings)[0],
    ];
    for (const booking of [changed, deleted, shortened])
      await rebuilds.publishAndProject(wholeHistory(booking));
    await rebuilds.views.project([bookingEvent(1, 'REQUESTED', extra)]);
    const live = await rebuilds.generations.live();
    const of = ({ bookingId }: { bookingId: string }) => ({
      where: { generation: live, bookingId },
    });
    await rebuilds.prisma.bookingStatusView.updateMany({ ...of(changed), data: { refunded: 1 } });
    await rebuilds.prisma.bookingStatusView.deleteMany(of(deleted));
    await rebuilds.prisma.statusChange.deleteMany({
      where: { generation: live, bookingId: shortened.bookingId, bookingVersion: 2 },
    });

    const result = await rebuilds.completeRebuild();
    expect(result).toMatchObject({ state: 'DIFFERENT', differences: 4 });
    expect([...result.differingBookingIds].sort()).toEqual(
      bookings.map(({ bookingId }) => bookingId).sort(),
    );
    expect(await rebuilds.generations.live()).toBe(live);

    expect(await rebuilds.completeRebuild(rebuilds.history.log, true)).toMatchObject({
      state: 'SWITCHED',
      differences: 4,
    });
    expect(await rebuilds.completeRebuild()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    const readers = prismaViewStore(rebuilds.prisma);
    expect(await readers.find(deleted.customerId, deleted.bookingId)).not.toBeNull();
    expect(await readers.find(extra.customerId, extra.bookingId)).toBeNull();
  }, 60_000);

  test('a rebuild never lowers versions, and a repaired view is a new version', async () => {
    const [same, wrong] = [newBooking(), newBooking()];
    const histories = [wholeHistory(same), wholeHistory(wrong)];
    for (const events of histories) await rebuilds.publishAndProject(events);
    // One view has more events than are stored, the other one is also wrong.
    const corrupt = async ({ bookingId }: { bookingId: string }, data: object) => {
      const where = { generation: await rebuilds.generations.live(), bookingId };
      await rebuilds.prisma.bookingStatusView.updateMany({ where, data });
    };
    await corrupt(same, { version: 40 });
    await corrupt(wrong, { version: 50, refunded: 1 });
    const startedAt = rebuilds.clock();
    const readers = prismaViewStore(rebuilds.prisma);
    expect(await rebuilds.completeRebuild(rebuilds.history.log, true)).toMatchObject({
      state: 'SWITCHED',
      differences: 1,
    });
    const [sameView, wrongView] = await Promise.all(
      [same, wrong].map(({ bookingId, customerId }) => readers.find(customerId, bookingId)),
    );
    expect(sameView).toEqual({ ...projectAll(histories[0] ?? []), version: 40 });
    expect(wrongView).toEqual({ ...projectAll(histories[1] ?? []), version: 51 });

    const versions = prismaViewVersions(rebuilds.prisma, 10);
    const [found] = await versions.find([{ bookingId: wrong.bookingId, after: 50 }]);
    expect(found?.versions.map(({ view: { version } }) => version)).toEqual([51]);
    const notifications = await versions.projectedSince(startedAt, null, 100);
    expect(notifications).toContainEqual(expect.objectContaining({ ...wrong, version: 51 }));

    // Later events raise that version, and the next rebuild finds no difference.
    const next = bookingEvent(99, 'CANCELLED', wrong);
    await rebuilds.publishAndProject([next]);
    expect(await rebuilds.completeRebuild()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    const last = await readers.find(wrong.customerId, wrong.bookingId);
    expect(last).toMatchObject({ version: 52, status: 'CANCELLED' });
  });

  test('a rebuild leaves out unreadable events, and its message counts them', async () => {
    rebuilds.history.addUnreadable();
    const { state, message } = await rebuilds.completeRebuild();
    expect(state).toBe('SWITCHED');
    expect(message).toContain('Unreadable events, left out: 1.');
  });
});
