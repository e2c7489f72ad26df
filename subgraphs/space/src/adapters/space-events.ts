import { type SpacePayload, spaceEvents } from '#contracts/space.ts';
import { newEvent } from '#platform/messaging/events.ts';
import type { Space } from '../domain/space.ts';

/** The event of the space's present version. */
export function toSpaceEvent(type: 'SpaceListed' | 'SpaceChanged', space: Space, occurredAt: Date) {
  return newEvent(type, spaceEvents[type], {
    aggregateId: space.id,
    version: space.version,
    occurredAt,
    payload: toPayload(space),
  });
}

/** Without what only the catalogue shows: description, address, photos, amenities. */
function toPayload(space: Space): SpacePayload {
  const { hostId, name, timeZone, capacity, hourlyRate, currency, state, bookingMode } = space;
  const { bookingRules, includedHeadcount, extraPersonHourlyRate, holidayCountry } = space;
  return {
    spaceId: space.id,
    ...{ hostId, name, timeZone, capacity, hourlyRate, currency, state, bookingMode },
    ...{ bookingRules, includedHeadcount, extraPersonHourlyRate, holidayCountry },
    openingHours: [...space.openingHours],
    openingExceptions: space.openingExceptions.map(({ date, hours, reason }) => ({
      date,
      hours: [...hours],
      reason,
    })),
    refundTiers: [...space.refundTiers],
    priceRules: space.priceRules.map((rule) => ({ ...rule, days: rule.days && [...rule.days] })),
    addOns: [...space.addOns],
    vatPercent: space.vatPercent,
  };
}
