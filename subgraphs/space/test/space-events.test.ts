import { expect, test } from '@jest/globals';
import { type SpacePayload, spaceEvents } from '#contracts/space.ts';

const released = {
  spaceId: '01890000-0000-7000-8000-000000000000',
  ...{ hostId: 'hana', name: 'Loft', timeZone: 'Asia/Seoul', capacity: 12, hourlyRate: 30_000 },
  currency: 'KRW',
  openingHours: [{ day: 'MONDAY', opens: '09:00', closes: '24:00' }],
  refundTiers: [{ daysBefore: 1, percent: 50 }],
};

test('a SpaceListed of release 0.2.0 becomes one with the terms of a space whose host set none', () => {
  const [upcast] = spaceEvents.SpaceListed.upcasts;
  const payload: SpacePayload = spaceEvents.SpaceListed.payload.parse(upcast(released));
  expect(payload).toEqual({
    ...released,
    ...{ state: 'ACTIVE', bookingMode: 'INSTANT', openingExceptions: [], priceRules: [] },
    bookingRules: {
      ...{ stepMinutes: 30, minMinutes: 30, maxMinutes: 44_640, minNoticeMinutes: 0 },
      ...{ maxAdvanceDays: 365, bufferBeforeMinutes: 0, bufferAfterMinutes: 0 },
      approvalHours: 24,
    },
    ...{ includedHeadcount: 12, extraPersonHourlyRate: 0, addOns: [] },
    ...{ holidayCountry: null, vatPercent: 10 },
  });
});

test('an event of a space without terms is not of the present version of the payload', () => {
  for (const { payload } of [spaceEvents.SpaceListed, spaceEvents.SpaceChanged]) {
    expect(payload.safeParse(released).success).toBe(false);
  }
});
