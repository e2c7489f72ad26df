import { describe, expect, test } from '@jest/globals';
import { isOutage, ViewConflict } from '../src/adapters/view-projection.ts';
import { batchProjector } from '../src/application/batch-projector.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';

/** The sizes of the batches that are attempted when every attempt fails with `error`. */
async function failingBatches(error: Error, isTransient: boolean): Promise<number[]> {
  const attempts: number[] = [];
  const views = {
    async project(events: readonly ProjectedEvent[]) {
      attempts.push(events.length);
      throw error;
    },
  };
  const project = batchProjector(
    views,
    () => {},
    () => isTransient,
  );
  // The first event is projected at once and alone; the others make the next batch.
  const events = ['a', 'b', 'c'].map((id) => project({ id } as ProjectedEvent));
  const outcomes = await Promise.allSettled(events);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  return attempts;
}

describe('a batch of events that cannot be projected', () => {
  test('a failed batch is divided, so that a poisoned event fails alone', async () => {
    expect(await failingBatches(new Error('bad'), false)).toEqual([1, 2, 1, 1]);
  });

  test('a batch fails at once on a transient failure, and is not attempted once per event', async () => {
    expect(await failingBatches(new Error('locked'), true)).toEqual([1, 2]);
  });

  test('a large batch that conflicts with other writers is projected in small ones', async () => {
    const batches: number[] = [];
    const project = batchProjector(
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
    await Promise.all(ids.map((id) => project({ id } as ProjectedEvent)));
    // The first event is projected alone; 20 are halved three times.
    expect(batches).toEqual([1, 3, 2, 3, 2, 3, 2, 3, 2]);
  });
});
