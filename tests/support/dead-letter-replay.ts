import { expect, test } from '@jest/globals';
import { type DeadLetterSetup, MAX_ATTEMPTS } from './dead-letter-setup.ts';

/** Replaying and discarding dead letters. */
export function testReplay(setup: DeadLetterSetup): void {
  test('a dead letter is replayed once, however many replays are requested at the same time', async () => {
    const event = await setup.parkEvent();
    setup.errors.delete(event.id);
    expect(await setup.replay(event)).toMatchObject({
      type: 'DeadLetterSuccess',
      deadLetter: { state: 'REPLAYED', settledBy: 'olga' },
    });
    expect(await setup.replay(event)).toMatchObject({ type: 'DeadLetterSettled' });
    expect(setup.logOf(event)).toEqual([
      [{ eventId: event.id, by: 'olga' }, 'dead letter replayed'],
    ]);
    await setup.deliver([event, event]);
    expect([setup.effectsOf(event), await setup.stateOf(event)]).toEqual([1, 'REPLAYED']);

    const other = await setup.parkEvent();
    setup.errors.delete(other.id);
    await Promise.all([setup.replay(other), setup.replay(other), setup.replay(other)]);
    expect([setup.effectsOf(other), await setup.stateOf(other)]).toEqual([1, 'REPLAYED']);
  });

  test('a replay that was interrupted after its effect completes without a second effect', async () => {
    const event = await setup.parkEvent();
    setup.errors.delete(event.id);
    await setup.store.deadLetters.beginReplay(event.id);
    await setup.deliver([event]);
    expect(await setup.replay(event)).toMatchObject({ type: 'DeadLetterSuccess' });
    expect([setup.effectsOf(event), await setup.stateOf(event)]).toEqual([1, 'REPLAYED']);
  });

  test('a dead letter stays parked when its replay fails', async () => {
    const event = await setup.parkEvent();
    expect(await setup.replay(event)).toMatchObject({ type: 'DeadLetterReplayFailed' });
    expect(setup.logOf(event)).toEqual([
      [{ eventId: event.id, by: 'olga' }, 'dead letter replayed in vain'],
    ]);
    expect([setup.effectsOf(event), await setup.stateOf(event)]).toEqual([0, 'PARKED']);
    expect(await setup.isAcknowledged(event)).toBe(true);
    expect(await setup.store.deadLetters.find(event.id)).toMatchObject({
      failures: MAX_ATTEMPTS + 1,
    });
  });

  test('a discarded event never takes effect', async () => {
    const event = await setup.parkEvent();
    setup.errors.delete(event.id);
    expect(await setup.discard(event)).toMatchObject({
      type: 'DeadLetterSuccess',
      deadLetter: { state: 'DISCARDED', reason: 'a test' },
    });
    expect(setup.logOf(event)).toEqual([
      [{ eventId: event.id, by: 'olga', reason: 'a test' }, 'dead letter discarded'],
    ]);
    expect(await setup.replay(event)).toMatchObject({ type: 'DeadLetterSettled' });
    await setup.deliver([event]);
    expect([setup.effectsOf(event), await setup.isAcknowledged(event)]).toEqual([0, true]);
  });

  test.each(['  ', 'x'.repeat(1_001), 'a NUL \0', 'half a \ud83d smile'])(
    'a dead letter is not discarded with the invalid reason %j',
    async (reason) => {
      const event = await setup.parkEvent();
      await expect(setup.discard(event, reason)).rejects.toMatchObject({
        extensions: { code: 'BAD_USER_INPUT', field: 'reason' },
      });
      expect(await setup.stateOf(event)).toBe('PARKED');
    },
  );
}
