import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Consumer, openConsumer } from '#platform/messaging/consumer.ts';
import type { DeadLetters } from '#platform/messaging/dead-letters.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { RetryLater } from '#platform/messaging/failures.ts';
import type { Inbox } from '#platform/messaging/inbox.ts';
import type { Transport } from '#platform/messaging/queue.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { deadLetterResolvers } from '#platform/operator/dead-letter-resolvers.ts';
import { silent } from './database.ts';

/** A database with an inbox and dead letters. */
export interface DeadLetterPlace {
  inbox: Inbox;
  deadLetters: DeadLetters;
  /** Gives the event an effect, in a transaction of the context's own; false: it had it before. */
  hold(eventId: string): Promise<boolean>;
  /** Writes the event into the inbox as earlier releases did. */
  holdOnly(eventId: string): Promise<unknown>;
  drop(): Promise<unknown>;
}

const PARK_AFTER = 3;
const operator = { viewer: { userId: 'olga', roles: ['operator'] } };

/** What dead letters are to do, wherever they are stored. */
export function describeDeadLetters(engine: string, open: () => Promise<DeadLetterPlace>): void {
  describe(`dead letters on ${engine}`, () => {
    let place: DeadLetterPlace;
    let consumer: Consumer;
    let deliver: (batch: readonly EventRecord[]) => Promise<void>;
    const handled: string[] = [];
    const effects: string[] = [];
    const logged: [facts: object, message: string][] = [];
    const poisonous = new Map<string, Error>();

    /** A consumer of the events that the contracts know, on the one place; returns its queue's end. */
    async function aConsumer(contracts: Record<string, object>) {
      let receive: typeof deliver = async () => {};
      const transport: Pick<Transport, 'receive'> = {
        async receive(_queue, _concurrency, take) {
          receive = take;
        },
      };
      const metrics = createMetrics('test');
      const opened = openConsumer({
        name: 'mypage',
        transport: transport as Transport,
        inbox: place.inbox,
        deadLetters: place.deadLetters,
        parkAfter: PARK_AFTER,
        metrics,
        logger: silent,
      });
      const handler = async ({ id }: { id: string }) => {
        handled.push(id);
        const poison = poisonous.get(id);
        if (poison) throw poison;
        if (await place.hold(id)) effects.push(id);
      };
      const entries = Object.entries(contracts).map(([type, contract]) => [
        type,
        { topic: 'tests', consumers: ['mypage'], ...contract },
      ]);
      const handlers = Object.fromEntries(Object.keys(contracts).map((type) => [type, handler]));
      await opened.take(Object.fromEntries(entries), handlers as never, { concurrency: 1 });
      return { opened, receive, metrics };
    }

    const payload = z.object({ n: z.int(), colour: z.enum(['RED']).optional() });

    beforeAll(async () => {
      place = await open();
      ({ opened: consumer, receive: deliver } = await aConsumer({ Tested: { payload } }));
    });

    afterAll(() => place?.drop());

    function anEvent(payload: unknown = { n: 1 }): EventRecord {
      return {
        id: uuidv7(),
        topic: 'tests',
        type: 'Tested',
        aggregateId: uuidv7(),
        version: 1,
        occurredAt: '2030-01-31T10:00:00.000Z',
        correlationId: 'test',
        payload,
        awaiting: ['mypage'],
      };
    }

    async function poisoned(): Promise<EventRecord> {
      const event = anEvent();
      poisonous.set(event.id, new Error('it does not agree with us'));
      return event;
    }

    async function parked(): Promise<EventRecord> {
      const event = await poisoned();
      for (let n = 1; n < PARK_AFTER; n += 1) await expect(deliver([event])).rejects.toThrow();
      await deliver([event]);
      return event;
    }

    const stateOf = async (event: EventRecord) =>
      (await place.deadLetters.find(event.id))?.state ?? null;
    const isHeld = async (event: EventRecord) => (await place.inbox.held([event.id])).length === 1;
    const logOf = ({ id }: EventRecord) =>
      logged.filter(([facts]) => (facts as { eventId: string }).eventId === id);
    const effectsOf = (event: EventRecord) => effects.filter((id) => id === event.id).length;

    const fields = () => {
      const { Query, Mutation } = deadLetterResolvers('MyPage', place.deadLetters, consumer, {
        info: (...line: unknown[]) => void logged.push(line as [object, string]),
      });
      return { ...Query, ...Mutation } as unknown as Record<
        string,
        (source: unknown, args: object, context: object) => Promise<{ type: string }>
      >;
    };
    const replay = (event: EventRecord) =>
      fields().replayMyPageDeadLetter?.(null, { eventId: event.id }, operator);
    const discard = (event: EventRecord) =>
      fields().discardMyPageDeadLetter?.(null, { eventId: event.id, reason: 'a test' }, operator);

    test('a poisoned event is parked after its last attempt, and the other event of its batch is not', async () => {
      const bad = await poisoned();
      const good = anEvent();
      await expect(deliver([bad, good])).rejects.toThrow('it does not agree with us');
      expect([effectsOf(good), await isHeld(good)]).toEqual([1, true]);
      expect([await stateOf(bad), await isHeld(bad)]).toEqual(['FAILING', false]);
      await expect(deliver([bad])).rejects.toThrow();
      await deliver([bad]);
      expect([await stateOf(bad), await isHeld(bad)]).toEqual(['PARKED', true]);
      expect(await place.deadLetters.find(bad.id)).toMatchObject({
        event: bad,
        failures: PARK_AFTER,
        error: expect.stringContaining('it does not agree with us'),
        settledAt: null,
      });
      const list = await place.deadLetters.list({ states: ['PARKED'], after: null, limit: 100 });
      expect(list.map(({ eventId }) => eventId)).toContain(bad.id);
      expect(await place.deadLetters.count('PARKED')).toBe(list.length);
    });

    test.each([
      ['a field of another type', { n: 'many' }],
      ['a field that is missing', { colour: 'RED' }],
      ['an unknown value and a malformed one', { n: 'many', colour: 'ULTRAVIOLET' }],
      ['a value that is no text', { n: 1, colour: 7 }],
    ])(
      'an event with %s is parked because its payload is malformed in every version',
      async (_, malformed) => {
        const event = anEvent(malformed);
        for (let n = 1; n < PARK_AFTER; n += 1) await expect(deliver([event])).rejects.toThrow();
        await deliver([event]);
        expect(await stateOf(event)).toBe('PARKED');
      },
    );

    test('an event that only a newer version understands is not parked and waits for that version', async () => {
      const strange = [
        { ...anEvent(), type: 'Unheard' },
        { ...anEvent({ n: 1, colour: 'ULTRAVIOLET' }) },
        { ...anEvent({ number: 1 }), schemaVersion: 2 },
      ];
      const older = await aConsumer({ Tested: { payload } });
      for (let n = 1; n <= PARK_AFTER + 2; n += 1) await older.receive(strange);
      for (const event of strange) {
        expect([await stateOf(event), await isHeld(event), effectsOf(event)]).toEqual([
          null,
          false,
          0,
        ]);
      }
      const waiting = 'spacerent_events_not_understood';
      const waitingFor = async ({ metrics }: typeof older) =>
        (await metrics.getSingleMetric(waiting)?.get())?.values[0]?.value;
      expect(await waitingFor(older)).toBe(3);
      expect(
        (await older.metrics.metrics()).match(/not_understood_total\{type="Tested"/),
      ).toBeTruthy();

      const newer = await aConsumer({
        Unheard: { payload },
        Tested: {
          payload: z.object({ number: z.int(), colour: z.enum(['RED', 'ULTRAVIOLET']).optional() }),
          upcasts: [({ n, ...rest }: { n: number }) => ({ number: n, ...rest })],
        },
      });
      await newer.receive(strange);
      expect(strange.map(effectsOf)).toEqual([1, 1, 1]);
    });

    test('a transient failure is not counted, however often an event fails with it', async () => {
      const troubles = [
        new RetryLater('another event decides first'),
        Object.assign(new Error('canceling statement'), { code: '57014', severity: 'ERROR' }),
        Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      ];
      for (const trouble of troubles) {
        const event = anEvent();
        poisonous.set(event.id, trouble);
        for (let n = 1; n <= PARK_AFTER + 2; n += 1) {
          await expect(deliver([event])).rejects.toBe(trouble);
        }
        expect([await stateOf(event), await isHeld(event)]).toEqual([null, false]);
        poisonous.delete(event.id);
        await deliver([event]);
        expect(effectsOf(event)).toBe(1);
      }
    });

    test('the error of a dead letter is one sentence without a stack or internal paths', async () => {
      const event = await poisoned();
      poisonous.set(
        event.id,
        new Error(`no such booking\n    at run (${import.meta.filename}:1:2)`),
      );
      await expect(deliver([event])).rejects.toThrow();
      expect((await place.deadLetters.find(event.id))?.error).toBe('no such booking');
    });

    test('the failures of an event are deleted when it is processed', async () => {
      const event = await poisoned();
      await expect(deliver([event])).rejects.toThrow();
      poisonous.delete(event.id);
      await deliver([event]);
      expect([effectsOf(event), await stateOf(event)]).toEqual([1, null]);
    });

    test('a late duplicate of a parked event has no effect', async () => {
      const event = await parked();
      poisonous.delete(event.id);
      await deliver([event]);
      expect(handled.filter((id) => id === event.id)).toHaveLength(PARK_AFTER);
      expect([effectsOf(event), await stateOf(event)]).toEqual([0, 'PARKED']);
    });

    test('the failures of an event are deleted in the transaction that processes it elsewhere', async () => {
      const [event, other] = [await poisoned(), await poisoned()];
      await expect(deliver([event, other])).rejects.toThrow();
      expect([await stateOf(event), await stateOf(other)]).toEqual(['FAILING', 'FAILING']);
      await place.hold(event.id);
      expect([await stateOf(event), await stateOf(other)]).toEqual([null, 'FAILING']);
    });

    test('failures of an event that another attempt processed are not counted', async () => {
      const event = anEvent();
      await place.hold(event.id);
      for (let n = 1; n <= PARK_AFTER; n += 1) {
        expect(await place.deadLetters.noteFailure(event, 'late', PARK_AFTER)).toBeNull();
      }
      expect(await stateOf(event)).toBeNull();
    });

    test('failures that a processed event left behind are deleted when the consumer starts', async () => {
      const [processed, failing] = [await poisoned(), await poisoned()];
      await expect(deliver([processed, failing])).rejects.toThrow();
      await place.holdOnly(processed.id);
      expect(await stateOf(processed)).toBe('FAILING');
      await aConsumer({ Tested: { payload } });
      expect([await stateOf(processed), await stateOf(failing)]).toEqual([null, 'FAILING']);
    });

    test('a dead letter is replayed once, however many replays are requested at the same time', async () => {
      const event = await parked();
      poisonous.delete(event.id);
      expect(await replay(event)).toMatchObject({
        type: 'DeadLetterSuccess',
        deadLetter: { state: 'REPLAYED', settledBy: 'olga' },
      });
      expect(await replay(event)).toMatchObject({ type: 'DeadLetterSettled' });
      expect(logOf(event)).toEqual([[{ eventId: event.id, by: 'olga' }, 'dead letter replayed']]);
      await deliver([event, event]);
      expect([effectsOf(event), await stateOf(event)]).toEqual([1, 'REPLAYED']);

      const other = await parked();
      poisonous.delete(other.id);
      await Promise.all([replay(other), replay(other), replay(other)]);
      expect([effectsOf(other), await stateOf(other)]).toEqual([1, 'REPLAYED']);
    });

    test('a replay that was interrupted after its effect completes without a second effect', async () => {
      const event = await parked();
      poisonous.delete(event.id);
      await place.deadLetters.release(event.id);
      await deliver([event]);
      expect(await replay(event)).toMatchObject({ type: 'DeadLetterSuccess' });
      expect([effectsOf(event), await stateOf(event)]).toEqual([1, 'REPLAYED']);
    });

    test('a dead letter stays parked when its replay fails', async () => {
      const event = await parked();
      expect(await replay(event)).toMatchObject({ type: 'DeadLetterReplayFailed' });
      expect(logOf(event)).toEqual([
        [{ eventId: event.id, by: 'olga' }, 'dead letter replayed in vain'],
      ]);
      expect([effectsOf(event), await stateOf(event)]).toEqual([0, 'PARKED']);
      expect(await isHeld(event)).toBe(true);
      expect(await place.deadLetters.find(event.id)).toMatchObject({ failures: PARK_AFTER + 1 });
    });

    test('a discarded event never takes effect', async () => {
      const event = await parked();
      poisonous.delete(event.id);
      expect(await discard(event)).toMatchObject({
        type: 'DeadLetterSuccess',
        deadLetter: { state: 'DISCARDED', reason: 'a test' },
      });
      expect(logOf(event)).toEqual([
        [{ eventId: event.id, by: 'olga', reason: 'a test' }, 'dead letter discarded'],
      ]);
      expect(await replay(event)).toMatchObject({ type: 'DeadLetterSettled' });
      await deliver([event]);
      expect([effectsOf(event), await isHeld(event)]).toEqual([0, true]);
    });

    test.each(['  ', 'x'.repeat(1_001), 'a NUL \0', 'half a \ud83d smile'])(
      'a dead letter is not discarded with the invalid reason %j',
      async (reason) => {
        const event = await parked();
        const args = { eventId: event.id, reason };
        await expect(
          fields().discardMyPageDeadLetter?.(null, args, operator),
        ).rejects.toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'reason' } });
        expect(await stateOf(event)).toBe('PARKED');
      },
    );
  });
}
