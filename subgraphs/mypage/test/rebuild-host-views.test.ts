import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { until } from '../../../tests/support/system.ts';
import { prismaHostViews } from '../src/adapters/prisma-host-views.ts';
import { retiredGenerations } from '../src/adapters/retired-generations.ts';
import { HOST_FIELDS } from '../src/booking-status-view.ts';
import { bookingEvent, spaceEvent, wholeHistory } from './a-history.ts';
import { openRebuilds, type Rebuilds } from './a-rebuild.ts';
import { newBooking } from './a-view-database.ts';
import { engines } from './engines.ts';

const MINUTE_MS = 60_000;
const ALL = { spaceId: null, statuses: null, startsFrom: null, startsBefore: null };

describe.each(engines)('a rebuild of what hosts see on $name', (engine) => {
  let rebuilds: Rebuilds;

  beforeEach(async () => {
    rebuilds = await openRebuilds(engine);
  });

  afterEach(() => rebuilds?.database.close());

  const newSpace = () => ({ spaceId: uuidv7(), hostId: `host-${uuidv7()}` });

  // A reader of its own each time: readers cache the live generation for a second.
  const readHost = () => prismaHostViews(rebuilds.prisma);
  async function bookingsOf(hostId: string): Promise<string[]> {
    const found = await readHost().list(hostId, ALL, { limit: 100, after: null });
    return found.map(({ view }) => view.bookingId);
  }

  test('a rebuild adds what an earlier release did not project, which is no difference', async () => {
    const space = newSpace();
    const [old, continued] = [newBooking(), newBooking()];
    rebuilds.history.add(spaceEvent(1, space));
    const { spaceId } = space;
    for (const booking of [old, continued]) {
      await rebuilds.publishAndProject(wholeHistory({ ...booking, spaceId }).slice(0, 5));
    }
    // As a release up to 0.2.0 writes views: without these columns, and without spaces.
    const lacking = Object.fromEntries(HOST_FIELDS.map((field) => [field, null]));
    await rebuilds.prisma.bookingStatusView.updateMany({ data: lacking });
    await rebuilds.prisma.viewVersion.updateMany({ data: lacking });
    const next = wholeHistory({ ...continued, spaceId }).slice(5, 7);
    await rebuilds.publishAndProject(next);
    expect(await bookingsOf(space.hostId)).toEqual([]);

    expect(await rebuilds.completeRebuild()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    expect((await bookingsOf(space.hostId)).sort()).toEqual(
      [old, continued].map(({ bookingId }) => bookingId).sort(),
    );
    expect(await readHost().spaces(space.hostId, [space.spaceId])).toMatchObject([{ spaceId }]);
    const [{ view } = { view: null }] = await rebuilds.generations.findViews(
      await rebuilds.generations.live(),
      [old.bookingId],
    );
    expect(view).toMatchObject({ chargedAmount: 60_000, version: 5 });
  });

  test('a rebuild finds a host’s field that is wrong, and repairs it on request', async () => {
    const booking = { ...newBooking(), ...newSpace(), headcount: 3 };
    await rebuilds.publishAndProject([bookingEvent(1, 'REQUESTED', booking)]);
    await rebuilds.prisma.bookingStatusView.updateMany({ data: { headcount: 30 } });
    expect(await rebuilds.completeRebuild()).toMatchObject({
      ...{ state: 'DIFFERENT', differences: 1, differingBookingIds: [booking.bookingId] },
    });
    expect(await rebuilds.completeRebuild(rebuilds.history.log, true)).toMatchObject({
      state: 'SWITCHED',
    });
    const [found] = await readHost().list(booking.hostId, ALL, { limit: 1, after: null });
    expect(found?.view.headcount).toBe(3);
  });

  test('a rebuild finds spaces that are wrong, old or unknown to their context, and repairs them on request', async () => {
    const [right, renamed, newer, extra] = [newSpace(), newSpace(), newSpace(), newSpace()];
    for (const space of [right, renamed, newer]) {
      await rebuilds.publishAndProject([spaceEvent(1, space)]);
    }
    await rebuilds.prisma.spaceView.updateMany({
      where: { spaceId: renamed.spaceId },
      data: { name: 'Attic' },
    });
    await rebuilds.views.project([spaceEvent(2, newer), spaceEvent(1, extra)]);
    const result = await rebuilds.completeRebuild();
    expect(result).toMatchObject({ state: 'DIFFERENT', differences: 3, differingBookingIds: [] });
    expect(result.message).toContain('Spaces that differ: 3.');

    expect(await rebuilds.completeRebuild(rebuilds.history.log, true)).toMatchObject({
      state: 'SWITCHED',
      differences: 3,
    });
    expect(await readHost().spaces(renamed.hostId, [renamed.spaceId])).toMatchObject([
      { name: 'Loft' },
    ]);
    expect(await readHost().spaces(extra.hostId, [extra.spaceId])).toEqual([]);
    expect(await rebuilds.completeRebuild()).toMatchObject({ state: 'SWITCHED', differences: 0 });
  }, 60_000);

  test('a space that changes during a rebuild is in both generations', async () => {
    const space = newSpace();
    await rebuilds.publishAndProject([spaceEvent(1, space)]);
    const begun = await rebuilds.rebuild().start();
    await rebuilds.publishAndProject([spaceEvent(2, { ...space, name: 'Loft 2' })]);
    expect(await rebuilds.untilEnded(begun?.generation)).toMatchObject({
      state: 'SWITCHED',
      differences: 0,
    });
    expect(await readHost().spaces(space.hostId, [space.spaceId])).toMatchObject([
      { name: 'Loft 2' },
    ]);
  });

  test('the spaces of a retired generation are deleted', async () => {
    await rebuilds.publishAndProject([spaceEvent(1, newSpace())]);
    const before = await rebuilds.generations.live();
    await rebuilds.completeRebuild();
    expect(await rebuilds.countRows(before)).toBeGreaterThan(0);
    rebuilds.advance(MINUTE_MS);
    const retired = retiredGenerations(rebuilds.prisma, rebuilds.clock);
    await until('the generation is deleted', async () => {
      await retired.deleteBatch();
      return (await rebuilds.countRows(before)) === 0;
    });
    expect(await rebuilds.countRows(await rebuilds.generations.live())).toBeGreaterThan(0);
  });
});
