import { invalid } from './checks/fields.ts';
import { findProblem } from './checks/space.ts';
import type { InvalidSpace } from './refusals.ts';
import type { Space } from './space.ts';
import type {
  AddOn,
  BookingRules,
  DayOfWeek,
  HoursOfDay,
  OpeningException,
  OpeningHours,
  Photo,
  PriceRule,
  RefundTier,
} from './space-terms.ts';

type Given<T> = T | null | undefined;
/** Fields that may be left out or null. */
type Optional<T> = { [Key in keyof T]?: Given<T[Key]> };

export interface OpeningExceptionInput {
  date: string;
  hours: readonly HoursOfDay[];
  reason?: Given<string>;
}
export type PriceRuleInput = Pick<PriceRule, 'name' | 'hourlyRate'> &
  Optional<Omit<PriceRule, 'name' | 'hourlyRate' | 'days'>> & {
    days?: Given<readonly DayOfWeek[]>;
  };
export type AddOnInput = Pick<AddOn, 'name' | 'unit' | 'price'> &
  Optional<Pick<AddOn, 'id' | 'maxQuantity'>>;

/** What a host says of the terms of a space; a field that is left out or null stays as it is. */
export interface SpaceTermsInput {
  openingHours?: Given<readonly OpeningHours[]>;
  openingExceptions?: Given<readonly OpeningExceptionInput[]>;
  refundTiers?: Given<readonly RefundTier[]>;
  bookingMode?: Given<Space['bookingMode']>;
  bookingRules?: Given<Optional<BookingRules>>;
  priceRules?: Given<readonly PriceRuleInput[]>;
  /** Left out, it follows the capacity as long as it equals it. */
  includedHeadcount?: Given<number>;
  extraPersonHourlyRate?: Given<number>;
  addOns?: Given<readonly AddOnInput[]>;
  /** Null: no public holidays. */
  holidayCountry?: Given<string>;
  vatPercent?: Given<number>;
  photos?: Given<readonly Photo[]>;
  amenities?: Given<readonly string[]>;
}

/** What a host changes of a space. Time zone and currency stay: bookings and prices depend on them. */
export type SpaceChanges = SpaceTermsInput &
  Optional<Pick<Space, 'name' | 'description' | 'address' | 'capacity' | 'hourlyRate' | 'state'>>;

/** A space as its host changed it, with the names of the fields that differ; none: nothing changes. */
export interface ChangedSpace {
  space: Space;
  changed: string[];
}

/** The next version of the space, or what is wrong with it. `newId` makes the ids of new add-ons. */
export function changeSpace(
  space: Space,
  changes: SpaceChanges,
  newId: () => string,
): ChangedSpace | InvalidSpace {
  const next = withInput(space, changes, newId);
  if ('type' in next) return next;
  const problem = findProblem(next);
  if (problem) return problem;
  const fields = Object.keys(next) as (keyof Space)[];
  const changed = fields.filter((field) => !isSame(space[field], next[field]));
  return changed.length === 0
    ? { space, changed }
    : { space: { ...next, version: space.version + 1 }, changed };
}

/** The space with the input applied, unchecked but for the ids of its add-ons. */
export function withInput(
  space: Space,
  input: SpaceChanges,
  newId: () => string,
): Space | InvalidSpace {
  const addOns = input.addOns ? toAddOns(input.addOns, space.addOns, newId) : space.addOns;
  if ('type' in addOns) return addOns;
  const capacity = input.capacity ?? space.capacity;
  const included = space.includedHeadcount === space.capacity ? capacity : space.includedHeadcount;
  return {
    ...space,
    name: (input.name ?? space.name).trim(),
    description: input.description ?? space.description,
    address: input.address ?? space.address,
    capacity,
    hourlyRate: input.hourlyRate ?? space.hourlyRate,
    openingHours: input.openingHours ?? space.openingHours,
    openingExceptions: input.openingExceptions?.map(toException) ?? space.openingExceptions,
    refundTiers: input.refundTiers ?? space.refundTiers,
    state: input.state ?? space.state,
    bookingMode: input.bookingMode ?? space.bookingMode,
    bookingRules: withGiven(space.bookingRules, input.bookingRules),
    priceRules: input.priceRules?.map(toPriceRule) ?? space.priceRules,
    includedHeadcount: input.includedHeadcount ?? included,
    extraPersonHourlyRate: input.extraPersonHourlyRate ?? space.extraPersonHourlyRate,
    addOns,
    holidayCountry:
      input.holidayCountry === undefined ? space.holidayCountry : input.holidayCountry,
    vatPercent: input.vatPercent ?? space.vatPercent,
    photos: input.photos?.map(({ url, alt }) => ({ url, alt: alt.trim() })) ?? space.photos,
    amenities: input.amenities?.map((amenity) => amenity.trim()) ?? space.amenities,
  };
}

function withGiven<T extends object>(present: T, given: Given<Optional<T>>): T {
  const parts = Object.entries(given ?? {}).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return { ...present, ...Object.fromEntries(parts) };
}

const toException = ({ date, hours, reason }: OpeningExceptionInput): OpeningException => ({
  date,
  hours,
  reason: (reason ?? '').trim(),
});

const toPriceRule = (rule: PriceRuleInput): PriceRule => ({
  name: rule.name.trim(),
  days: rule.days ?? null,
  onHolidays: rule.onHolidays ?? false,
  from: rule.from ?? null,
  to: rule.to ?? null,
  firstDate: rule.firstDate ?? null,
  lastDate: rule.lastDate ?? null,
  hourlyRate: rule.hourlyRate,
});

/** An add-on that exists keeps its id, which bookings and clients refer to. */
function toAddOns(
  inputs: readonly AddOnInput[],
  present: readonly AddOn[],
  newId: () => string,
): readonly AddOn[] | InvalidSpace {
  const addOns: AddOn[] = [];
  for (const [index, { id, name, unit, price, maxQuantity }] of inputs.entries()) {
    const known = id?.toLowerCase();
    if (known !== undefined && !present.some((addOn) => addOn.id === known)) {
      return invalid(
        `addOns[${index}].id`,
        'The space has no add-on of this id: leave the id of a new add-on out.',
      );
    }
    if (known !== undefined && addOns.some((addOn) => addOn.id === known)) {
      return invalid(
        `addOns[${index}].id`,
        'Two add-ons have this id: leave the id of a new one out.',
      );
    }
    const quantity = maxQuantity ?? 1;
    addOns.push({ id: known ?? newId(), name: name.trim(), unit, price, maxQuantity: quantity });
  }
  return addOns;
}

/** Are two values of plain data equal? The order of an object's keys does not count. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return (
    keys.length === others.length &&
    keys.every((key) =>
      isSame((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}
