import { describe, expect, test } from '@jest/globals';
import { isOutage, ViewConflict } from '../src/adapters/view-projection.ts';
import { batchProjector } from '../src/application/batch-projector.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';

/** A projector of two events in one group, whose every attempt fails with the error. */
async function project(error: Error, isTransient: boolean): Promise<number[]> {
  const attempts: number[] = [];
  const views = {
    async project(events: readonly ProjectedEvent[]) {
      attempts.push(events.length);
      throw error;
    },
  };
  const take = batchProjector(
    views,
    () => {},
    () => isTransient,
  );
  // The first leaves at once, alone; what comes with it makes the next group.
  const events = ['a', 'b', 'c'].map((id) => take({ id } as ProjectedEvent));
  const outcomes = await Promise.allSettled(events);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  return attempts;
}

describe('a group of events that cannot be projected', () => {
  test('is tried one by one, so that a bad event fails alone', async () => {
    expect(await project(new Error('bad'), false)).toEqual([1, 2, 1, 1]);
  });

  test('fails at once in transient trouble, and does not wait for it once per event', async () => {
    expect(await project(new Error('locked'), true)).toEqual([1, 2]);
  });

  test('is divided, so that a large batch that meets other writers is projected in small ones', async () => {
    const batches: number[] = [];
    const take = batchProjector(
      {
        async project(events) {
          if (events.length > 3) throw new ViewConflict('another writer was faster');
          batches.push(events.length);
          return [];
        },
      },
      () => {},
      isOutage,
    );
    const ids = Array.from({ length: 21 }, (_, n) => String(n));
    await Promise.all(ids.map((id) => take({ id } as ProjectedEvent)));
    // The first one leaves alone; 20 become halves of halves of halves.
    expect(batches).toEqual([1, 3, 2, 3, 2, 3, 2, 3, 2]);
  });
});
