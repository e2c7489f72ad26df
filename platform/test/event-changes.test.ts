import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { instant } from '#contracts/values.ts';
import { breakingEventChanges } from '../../scripts/contracts/event-changes.mjs';
import { describeContract } from '../../scripts/contracts/event-contracts.mjs';

const money = z.object({ amount: z.int().min(0), currency: z.enum(['KRW', 'USD']) });
const shape = {
  bookingId: z.uuid(),
  price: money,
  headcount: z.int().min(1).max(10),
  reason: z.string().nullable(),
  note: z.string().max(100).optional(),
  tags: z.array(z.string().regex(/^\w+$/)),
  startAt: z.iso.datetime(),
};

type Contract = {
  topic?: string;
  consumers?: string[];
  payload?: z.ZodType;
  upcasts?: ((older: never) => unknown)[];
};

type Events = Parameters<typeof breakingEventChanges>[1];

const booked = (changes: Contract = {}) => ({
  Booked: describeContract({
    topic: 'booking',
    consumers: ['mypage', 'space'],
    payload: z.object(shape),
    ...changes,
  }),
});

const changed = (fields: z.ZodRawShape) => booked({ payload: z.object({ ...shape, ...fields }) });
const without = (name: keyof typeof shape) =>
  booked({ payload: z.object(shape).omit({ [name]: true } as never) });
const breaking = (now: Events) => breakingEventChanges(booked(), now);

describe('a breaking change of an event', () => {
  test.each<[string, Events, RegExp]>([
    ['when the event is removed', {}, /Booked is removed/],
    [
      'when its topic changes',
      booked({ topic: 'bookings' }),
      /topic changed from booking to bookings/,
    ],
    ['when a consumer is removed', booked({ consumers: ['mypage'] }), /consumer space is removed/],
    ['when a required field is removed', without('bookingId'), /payload\.bookingId may be missing/],
    [
      'when a required field becomes optional',
      changed({ bookingId: z.uuid().optional() }),
      /previous release reject new events: payload\.bookingId may be missing/,
    ],
    [
      'when an optional field becomes required',
      changed({ note: z.string().max(100) }),
      /this version reject older events: payload\.note may be missing/,
    ],
    [
      'when a new field is required',
      changed({ invoice: z.string() }),
      /this version reject older events: payload\.invoice may be missing/,
    ],
    [
      'when the type of a field changes',
      changed({ headcount: z.string() }),
      /payload\.headcount is string instead of integer/,
    ],
    [
      'when the type of an optional field changes',
      changed({ note: z.number().optional() }),
      /payload\.note is number instead of string/,
    ],
    [
      'when a whole number may be a fraction',
      changed({ headcount: z.number().min(1).max(10) }),
      /previous release reject new events: payload\.headcount is number instead of integer/,
    ],
    [
      'when a field may be null',
      changed({ headcount: z.int().min(1).max(10).nullable() }),
      /previous release reject new events: payload\.headcount may be null/,
    ],
    [
      'when a field may no longer be null',
      changed({ reason: z.string() }),
      /this version reject older events: payload\.reason may be null/,
    ],
    [
      'when a value of an enum is removed',
      changed({ price: money.extend({ currency: z.enum(['KRW']) }) }),
      /this version reject older events: payload\.price\.currency may be "USD"/,
    ],
    [
      'when an enum becomes any text',
      changed({ price: money.extend({ currency: z.string() }) }),
      /payload\.price\.currency may have any value/,
    ],
    [
      'when a text becomes an enum',
      changed({ note: z.enum(['A', 'B']).optional() }),
      /this version reject older events: payload\.note may have any value/,
    ],
    [
      'when a lower bound is loosened',
      changed({ headcount: z.int().min(0).max(10) }),
      /previous release reject new events: payload\.headcount has minimum 0 instead of 1/,
    ],
    [
      'when an upper bound is loosened',
      changed({ headcount: z.int().min(1).max(11) }),
      /previous release reject new events: payload\.headcount has maximum 11 instead of 10/,
    ],
    [
      'when a bound is tightened',
      changed({ headcount: z.int().min(2).max(10) }),
      /this version reject older events: payload\.headcount has minimum 1 instead of 2/,
    ],
    [
      'when a length is no longer limited',
      changed({ note: z.string().optional() }),
      /payload\.note has maxLength none instead of 100/,
    ],
    [
      'when a format is no longer kept',
      changed({ startAt: z.string() }),
      /payload\.startAt has the format none instead of date-time/,
    ],
    [
      'when a format becomes another one',
      changed({ startAt: z.iso.date() }),
      /payload\.startAt has the format date instead of date-time/,
    ],
    [
      'when the pattern of the items of a list changes',
      changed({ tags: z.array(z.string().regex(/^\w*$/)) }),
      /payload\.tags\[\] has the pattern/,
    ],
    [
      'when a list has other items',
      changed({ tags: z.array(z.int()) }),
      /payload\.tags\[\] is integer instead of string/,
    ],
    [
      'when unknown fields are no longer ignored',
      booked({ payload: z.strictObject({ bookingId: z.uuid() }) }),
      /payload\.price is not ignored/,
    ],
  ])('the previous release breaks %s', (_, now, sentence) => {
    expect(breaking(now).join('\n')).toMatch(sentence);
  });

  test('the previous release breaks when the schema version of an event falls', () => {
    const raised = booked({ upcasts: [(older) => older] });
    expect(breakingEventChanges(raised, booked())).toEqual([
      'Booked: its schema version fell from 2 to 1: an upcast is missing.',
    ]);
  });

  test('the previous release breaks when an alternative of a field is removed or added', () => {
    const cash = z.object({ kind: z.literal('CASH'), amount: z.int() });
    const card = z.object({ kind: z.literal('CARD'), token: z.string() });
    const one = booked({ payload: z.object({ method: cash }) });
    const both = booked({ payload: z.object({ method: z.union([cash, card]) }) });
    expect(breakingEventChanges(one, both).join()).toMatch(/previous release reject new events/);
    expect(breakingEventChanges(both, one).join()).toMatch(/this version reject older events/);
  });

  test('the previous release breaks when the values of a record change', () => {
    const record = (value: z.ZodType) =>
      booked({ payload: z.object({ counts: z.record(z.string(), value) }) });
    const before = record(z.int().min(0));
    expect(breakingEventChanges(before, record(z.int().min(0)))).toEqual([]);
    expect(breakingEventChanges(before, record(z.string())).join()).toMatch(
      /payload\.counts\.\* is string instead of integer/,
    );
  });
});

describe('a compatible change of an event', () => {
  test.each<[string, Events]>([
    ['when nothing changes', booked()],
    ['when a text is parsed by a codec', changed({ startAt: instant })],
    ['when an event is added', { ...booked(), Moved: booked().Booked }],
    ['when a consumer is added', booked({ consumers: ['mypage', 'space', 'payment'] })],
    ['when an optional field is added', changed({ invoice: z.string().optional() })],
    ['when a field with a default is added', changed({ invoice: z.string().default('') })],
    ['when an optional field is removed', without('note')],
    [
      'when a value of an enum is added: it is not understood, and waits',
      changed({ price: money.extend({ currency: z.enum(['KRW', 'USD', 'EUR']) }) }),
    ],
    [
      'when its schema version rises with an upcast',
      booked({ payload: z.object({ id: z.string() }), upcasts: [(older) => older] }),
    ],
    [
      'when only words change',
      changed({ headcount: z.int().min(1).max(10).describe('How many come.') }),
    ],
  ])('the previous release does not break %s', (_, now) => {
    expect(breaking(now)).toEqual([]);
  });
});
