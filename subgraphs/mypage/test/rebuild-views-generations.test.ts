import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../../../tests/support/system.ts';
import { prismaViewGenerations } from '../src/adapters/prisma-view-generations.ts';
import {
  type RetiredGenerations,
  retiredGenerations,
} from '../src/adapters/retired-generations.ts';
import { wholeHistory } from './a-history.ts';
import { openRebuilds, type Rebuilds } from './a-rebuild.ts';
import { newBooking } from './a-view-database.ts';
import { engines } from './engines.ts';

const MINUTE_MS = 60_000;

describe.each(engines)('the generations of the views on $name', (engine) => {
  let rebuilds: Rebuilds;
  let retired: RetiredGenerations;

  beforeEach(async () => {
    rebuilds = await openRebuilds(engine);
    retired = retiredGenerations(rebuilds.prisma, rebuilds.clock);
  });

  afterEach(() => rebuilds?.database.close());

  test('one of several rebuilds that begin concurrently does begin', async () => {
    const stores = rebuilds.database.clients.map((client) =>
      prismaViewGenerations(client, rebuilds.clock),
    );
    const begun = await Promise.all(
      [...stores, ...stores, rebuilds.generations].map((store) => store.begin()),
    );
    const [only, ...others] = begun.filter((each) => each !== null);
    expect(others).toEqual([]);
    await rebuilds.generations.fail(only?.generation as number, 'FAILED', 'over');
  });

  test('a rebuild fails when its process stops, and another can begin', async () => {
    const { rebuilds: rebuilder, start } = rebuilds.rebuild({
      ...rebuilds.history.log,
      page: () => Promise.reject(new Error('unreachable')),
    });
    const begun = await start();
    await rebuilder.stop();
    expect(await rebuilds.untilEnded(begun?.generation)).toMatchObject({ state: 'FAILED' });
    expect((await rebuilds.generations.latest())?.message).toMatch(/stopped/);
    expect(await rebuilds.completeRebuild()).toMatchObject({ state: 'SWITCHED' });
  });

  test('a rebuild of a dead process fails after its lease, cannot continue, and is deleted', async () => {
    const dead = (await rebuilds.generations.begin())?.generation as number;
    await rebuilds.generations.project(dead, wholeHistory(newBooking()), 9);
    expect(await rebuilds.generations.begin()).toBeNull();
    rebuilds.advance(2 * MINUTE_MS);
    const next = await rebuilds.generations.begin();
    expect(next).not.toBeNull();
    await expect(rebuilds.generations.project(dead, wholeHistory(newBooking()), 9)).rejects.toThrow(
      'no longer being built',
    );
    await expect(rebuilds.generations.switchTo(dead, 'late')).rejects.toThrow(
      'no longer being built',
    );
    await rebuilds.generations.fail(next?.generation as number, 'FAILED', 'over');
    rebuilds.advance(MINUTE_MS);
    while (await retired.deleteBatch());
    await until('the generation is deleted', async () => {
      await retired.deleteBatch();
      return (await rebuilds.countRows(dead)) === 0;
    });
  });

  test('a retired generation is written for a while, and then deleted', async () => {
    const before = await rebuilds.generations.live();
    // Projectors use the real clock: they write the retired generation until the test ends.
    rebuilds.advance(3 * MINUTE_MS);
    await rebuilds.completeRebuild();
    const booking = newBooking();
    await rebuilds.publishAndProject(wholeHistory(booking));
    expect(
      await rebuilds.prisma.bookingStatusView.count({
        where: { generation: before, bookingId: booking.bookingId },
      }),
    ).toBe(1);
    rebuilds.advance(MINUTE_MS);
    await until('only the live one has rows', async () => {
      while (await retired.deleteBatch());
      const rows = await rebuilds.prisma.inboxEvent.groupBy({ by: ['generation'] });
      return rows.length === 1 && rows[0]?.generation === (await rebuilds.generations.live());
    });
    expect(await rebuilds.countRows(await rebuilds.generations.live())).toBeGreaterThan(0);
  });
});
