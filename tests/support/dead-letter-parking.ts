import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { RetryLater } from '#platform/messaging/failures.ts';
import { type DeadLetterSetup, MAX_ATTEMPTS, newEvent, payload } from './dead-letter-setup.ts';

/** When an event is parked, and when it is not. */
export function testParking(setup: DeadLetterSetup): void {
  test('a poisoned event is parked after its last attempt, and the other event of its batch is not', async () => {
    const bad = setup.newPoisonedEvent();
    const good = newEvent();
    await expect(setup.deliver([bad, good])).rejects.toThrow('a test failure');
    expect([setup.effectsOf(good), await setup.isAcknowledged(good)]).toEqual([1, true]);
    expect([await setup.stateOf(bad), await setup.isAcknowledged(bad)]).toEqual(['FAILING', false]);
    await expect(setup.deliver([bad])).rejects.toThrow();
    await setup.deliver([bad]);
    expect([await setup.stateOf(bad), await setup.isAcknowledged(bad)]).toEqual(['PARKED', true]);
    expect(await setup.store.deadLetters.find(bad.id)).toMatchObject({
      event: bad,
      failures: MAX_ATTEMPTS,
      error: expect.stringContaining('a test failure'),
      settledAt: null,
    });
    const list = await setup.store.deadLetters.list({
      states: ['PARKED'],
      after: null,
      limit: 100,
    });
    expect(list.map(({ eventId }) => eventId)).toContain(bad.id);
    expect(await setup.store.deadLetters.count('PARKED')).toBe(list.length);
  });

  test.each([
    ['a field of another type', { n: 'many' }],
    ['a field that is missing', { colour: 'RED' }],
    ['an unknown value and a malformed one', { n: 'many', colour: 'ULTRAVIOLET' }],
    ['a value that is no text', { n: 1, colour: 7 }],
  ])(
    'an event with %s is parked because its payload is malformed in every version',
    async (_, malformed) => {
      const event = newEvent(malformed);
      for (let n = 1; n < MAX_ATTEMPTS; n += 1)
        await expect(setup.deliver([event])).rejects.toThrow();
      await setup.deliver([event]);
      expect(await setup.stateOf(event)).toBe('PARKED');
    },
  );

  test('an event that only a newer version understands is not parked and waits for that version', async () => {
    const newerEvents = [
      { ...newEvent(), type: 'Unknown' },
      { ...newEvent({ n: 1, colour: 'ULTRAVIOLET' }) },
      { ...newEvent({ number: 1 }), schemaVersion: 2 },
    ];
    const older = await setup.openConsumer({ Tested: { payload } });
    for (let n = 1; n <= MAX_ATTEMPTS + 2; n += 1) await older.receive(newerEvents);
    for (const event of newerEvents) {
      expect([
        await setup.stateOf(event),
        await setup.isAcknowledged(event),
        setup.effectsOf(event),
      ]).toEqual([null, false, 0]);
    }
    const metric = 'spacerent_events_not_understood';
    const readMetric = async ({ metrics }: typeof older) =>
      (await metrics.getSingleMetric(metric)?.get())?.values[0]?.value;
    expect(await readMetric(older)).toBe(3);
    expect(
      (await older.metrics.metrics()).match(/not_understood_total\{type="Tested"/),
    ).toBeTruthy();

    const newer = await setup.openConsumer({
      Unknown: { payload },
      Tested: {
        payload: z.object({ number: z.int(), colour: z.enum(['RED', 'ULTRAVIOLET']).optional() }),
        upcasts: [({ n, ...rest }: { n: number }) => ({ number: n, ...rest })],
      },
    });
    await newer.receive(newerEvents);
    expect(newerEvents.map((event) => setup.effectsOf(event))).toEqual([1, 1, 1]);
  });

  test('a transient failure is not counted, however often an event fails with it', async () => {
    const failures = [
      new RetryLater('another event must be processed first'),
      Object.assign(new Error('canceling statement'), { code: '57014', severity: 'ERROR' }),
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    ];
    for (const failure of failures) {
      const event = newEvent();
      setup.errors.set(event.id, failure);
      for (let n = 1; n <= MAX_ATTEMPTS + 2; n += 1) {
        await expect(setup.deliver([event])).rejects.toBe(failure);
      }
      expect([await setup.stateOf(event), await setup.isAcknowledged(event)]).toEqual([
        null,
        false,
      ]);
      setup.errors.delete(event.id);
      await setup.deliver([event]);
      expect(setup.effectsOf(event)).toBe(1);
    }
  });
}

/** What a failure leaves behind, and when it is deleted. */
export function testFailures(setup: DeadLetterSetup): void {
  test('the error of a dead letter is one sentence without a stack or internal paths', async () => {
    const event = setup.newPoisonedEvent();
    setup.errors.set(
      event.id,
      new Error(`no such booking\n    at run (${import.meta.filename}:1:2)`),
    );
    await expect(setup.deliver([event])).rejects.toThrow();
    expect((await setup.store.deadLetters.find(event.id))?.error).toBe('no such booking');
  });

  test('the failures of an event are deleted when it is processed', async () => {
    const event = setup.newPoisonedEvent();
    await expect(setup.deliver([event])).rejects.toThrow();
    setup.errors.delete(event.id);
    await setup.deliver([event]);
    expect([setup.effectsOf(event), await setup.stateOf(event)]).toEqual([1, null]);
  });

  test('a late duplicate of a parked event has no effect', async () => {
    const event = await setup.parkEvent();
    setup.errors.delete(event.id);
    await setup.deliver([event]);
    expect(setup.handled.filter((id) => id === event.id)).toHaveLength(MAX_ATTEMPTS);
    expect([setup.effectsOf(event), await setup.stateOf(event)]).toEqual([0, 'PARKED']);
  });

  test('the failures of an event are deleted in the transaction that processes it elsewhere', async () => {
    const [event, other] = [setup.newPoisonedEvent(), setup.newPoisonedEvent()];
    await expect(setup.deliver([event, other])).rejects.toThrow();
    expect([await setup.stateOf(event), await setup.stateOf(other)]).toEqual([
      'FAILING',
      'FAILING',
    ]);
    await setup.store.process(event.id);
    expect([await setup.stateOf(event), await setup.stateOf(other)]).toEqual([null, 'FAILING']);
  });

  test('failures of an event that another attempt processed are not counted', async () => {
    const event = newEvent();
    await setup.store.process(event.id);
    for (let n = 1; n <= MAX_ATTEMPTS; n += 1) {
      expect(await setup.store.deadLetters.recordFailure(event, 'late', MAX_ATTEMPTS)).toBeNull();
    }
    expect(await setup.stateOf(event)).toBeNull();
  });

  test('failures that a processed event left behind are deleted when the consumer starts', async () => {
    const [processed, failing] = [setup.newPoisonedEvent(), setup.newPoisonedEvent()];
    await expect(setup.deliver([processed, failing])).rejects.toThrow();
    await setup.store.insertIntoInbox(processed.id);
    expect(await setup.stateOf(processed)).toBe('FAILING');
    await setup.openConsumer({ Tested: { payload } });
    expect([await setup.stateOf(processed), await setup.stateOf(failing)]).toEqual([
      null,
      'FAILING',
    ]);
  });
}
