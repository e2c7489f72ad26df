import type { FoundSpace, Space } from '../domain/space.ts';
import { toAmenityKey } from '../domain/space-terms.ts';

/** What a SELECT from `space` lists to return rows of {@link FoundSpace}. */
export const FOUND_COLUMNS = `
   id, host_id AS "hostId", name, description, address, time_zone AS "timeZone", capacity,
   hourly_rate AS "hourlyRate", currency, state, booking_mode AS "bookingMode",
   included_headcount AS "includedHeadcount", extra_person_hourly_rate AS "extraPersonHourlyRate",
   holiday_country AS "holidayCountry", vat_percent AS "vatPercent", version,
   listed_at AS "listedAt"`;

export type RowOf<Found extends FoundSpace> = Omit<Found, 'includedHeadcount'> & {
  includedHeadcount: number | null;
};

/** A space from its row. Release 0.2.0 writes rows without a headcount. */
export function toSpace(row: RowOf<Space>): Space {
  return { ...row, includedHeadcount: row.includedHeadcount ?? row.capacity };
}

export function toFoundSpace(row: RowOf<FoundSpace>): FoundSpace {
  return { ...row, includedHeadcount: row.includedHeadcount ?? row.capacity };
}

/** The values of the columns that a host's changes concern, by the names of the fields. */
export function toChangeableValues(space: Space) {
  const { name, description, address, capacity, hourlyRate, state, bookingMode } = space;
  const { includedHeadcount, extraPersonHourlyRate, holidayCountry, vatPercent, version } = space;
  return {
    ...{ name, description, address, capacity, hourlyRate, state, bookingMode },
    ...{ includedHeadcount, extraPersonHourlyRate, holidayCountry, vatPercent, version },
    openingHours: JSON.stringify(space.openingHours),
    openingExceptions: JSON.stringify(space.openingExceptions),
    refundTiers: JSON.stringify(space.refundTiers),
    bookingRules: JSON.stringify(space.bookingRules),
    priceRules: JSON.stringify(space.priceRules),
    addOns: JSON.stringify(space.addOns),
    photos: JSON.stringify(space.photos),
    amenities: space.amenities,
    amenityKeys: space.amenities.map(toAmenityKey),
  };
}

/** The columns of {@link toChangeableValues}. */
const CHANGEABLE: readonly [column: string, value: string][] = [
  ['name', ':name'],
  ['description', ':description'],
  ['address', ':address'],
  ['capacity', ':capacity'],
  ['hourly_rate', ':hourlyRate'],
  ['state', ':state::space_state'],
  ['booking_mode', ':bookingMode::booking_mode'],
  ['included_headcount', ':includedHeadcount'],
  ['extra_person_hourly_rate', ':extraPersonHourlyRate'],
  ['holiday_country', ':holidayCountry'],
  ['vat_percent', ':vatPercent'],
  ['version', ':version::int'],
  ['opening_hours', ':openingHours::jsonb'],
  ['opening_exceptions', ':openingExceptions::jsonb'],
  ['refund_tiers', ':refundTiers::jsonb'],
  ['booking_rules', ':bookingRules::jsonb'],
  ['price_rules', ':priceRules::jsonb'],
  ['add_ons', ':addOns::jsonb'],
  ['photos', ':photos::jsonb'],
  ['amenities', ':amenities::text[]'],
  ['amenity_keys', ':amenityKeys::text[]'],
];

export const CHANGEABLE_COLUMNS = CHANGEABLE.map(([column]) => column).join(', ');
export const CHANGEABLE_VALUES = CHANGEABLE.map(([, value]) => value).join(', ');
