import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { bookingEvents } from '#contracts/book.ts';
import { type EventContract, presentSchemaVersion } from '#contracts/event-contract.ts';
import { paymentEvents } from '#contracts/payment.ts';
import { spaceEvents } from '#contracts/space.ts';
import { timeSlot } from '#contracts/values.ts';
import { readPayload } from '../messaging/event-payload.ts';
import { newEvent } from '../messaging/events.ts';
import { NotUnderstood } from '../messaging/failures.ts';

/** Its name was one field in version 1, and its age a text until version 2. */
const contract = {
  topic: 'tests',
  payload: z.object({ first: z.string(), last: z.string(), age: z.int() }),
  upcasts: [
    ({ name, age }: { name: string; age: string }) => {
      const [first, last] = name.split(' ');
      return { first, last, age };
    },
    (older: { age: string }) => ({ ...older, age: Number(older.age) }),
  ],
} satisfies EventContract;
const kim = { first: 'Kim', last: 'Lee', age: 30 };
const read = (schemaVersion: number | undefined, payload: unknown) =>
  readPayload(contract, { type: 'Tested', schemaVersion, payload });

describe("an event's payload", () => {
  test('a payload is published in the present schema version of its contract', () => {
    expect(presentSchemaVersion(contract)).toBe(3);
    const change = { aggregateId: 'a', version: 1, occurredAt: new Date(), payload: kim };
    expect(newEvent('Tested', contract, change).schemaVersion).toBe(3);
  });

  test.each([
    ['1', 1, { name: 'Kim Lee', age: '30' }],
    ['2', 2, { first: 'Kim', last: 'Lee', age: '30' }],
    ['3', 3, kim],
  ])('a payload of schema version %s is read as the present one', (_, version, payload) => {
    expect(read(version, payload)).toEqual(kim);
  });

  test('a payload without a schema version has version 1', () => {
    expect(read(undefined, { name: 'Kim Lee', age: '30' })).toEqual(kim);
  });

  test('a payload of a newer schema version is not understood, whatever it contains', () => {
    expect(() => read(4, kim)).toThrow(NotUnderstood);
  });

  test('a payload that an upcast cannot read is not reported as a newer one', () => {
    expect(() => read(1, { age: '30' })).toThrow(TypeError);
  });

  test('a payload with instants is written as texts that are read as the same instants', () => {
    const startAt = new Date('2030-06-03T01:00:00.123Z');
    const slot = { startAt, endAt: new Date('2030-06-03T03:00:00Z') };
    const written = JSON.parse(JSON.stringify({ slot }));
    expect(written.slot).toEqual({
      startAt: '2030-06-03T01:00:00.123Z',
      endAt: '2030-06-03T03:00:00.000Z',
    });
    expect(timeSlot.encode(slot)).toEqual(written.slot);
    const dated = { topic: 'tests', consumers: [], payload: z.object({ slot: timeSlot }) };
    expect(readPayload(dated, { type: 'Dated', payload: written })).toEqual({ slot });
  });

  test.each(Object.entries({ ...bookingEvents, ...paymentEvents, ...spaceEvents }))(
    'a payload of %s may contain fields that its contract does not know',
    (_, { payload }) => {
      const { error } = z.safeParse(payload, { invented: true });
      expect(error?.issues.map(({ code }) => code)).not.toContain('unrecognized_keys');
    },
  );
});
