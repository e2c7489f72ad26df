import type { Random } from '../random.ts';
import { waitUntil } from '../wait-until.ts';
import { listSpace } from './operations.ts';
import type { Records } from './records.ts';
import type { RouterClient } from './router-client.ts';

const HOUR_MS = 3_600_000;
/** A system that has just started can be too busy to respond. */
const LISTING_TIMEOUT_SECONDS = 60;
const HOT_SLOT_COUNT = 6;
const EXTRA_PERSON_HOURLY_RATE = 1_500;

/** First hours of the spaces for own slots, from now: cancelling refunds nothing or half; half; all. */
const OWN_SLOT_START_HOURS = [1, 72, 480] as const;
const ADJACENT_SLOT_START_HOUR = 240;
const APPROVAL_SLOT_START_HOUR = 96;
const APPROVAL_SLOT_COUNT = 24;
/** One space for the hot slots, one for adjacent slots, one whose host approves. */
const SPACE_COUNT = 1 + OWN_SLOT_START_HOURS.length + 2;
const HOT_SPACE = 0;
const ADJACENT_SPACE = SPACE_COUNT - 2;
const APPROVAL_SPACE = SPACE_COUNT - 1;
/** First hour and length of the places for changed bookings, after all other slots. */
const CHANGED_SLOT_START_HOUR = 4_000;
const MAX_CHANGED_HOURS = 3;

export interface Slot {
  spaceId: string;
  startAt: string;
  endAt: string;
}

/** The slots that one customer requests. */
export interface CustomerSlots {
  /** One of a few slots that all customers request. */
  hotSlot(random: Random): Slot;
  /** A slot that no other customer requests. */
  ownSlot(random: Random): Slot;
  /** One of some slots that all customers request, where the host approves. */
  approvalSlot(random: Random): Slot;
  /** Three slots in a row that no other customer requests. */
  adjacentSlots(): Slot[];
  /** Another slot of a space, of one to three hours; customers compete for it where they do for the first ones. */
  anotherSlot(spaceId: string, random: Random): Slot;
}

export interface SlotPlan {
  slotsFor(customer: number, customerCount: number): CustomerSlots;
}

/**
 * Lists the spaces of a run and distributes their slots. Rejects when a space cannot be listed. A release of
 * `withTerms: false` knows neither approval nor prices that depend on the headcount.
 */
export async function createSlotPlan(
  hosts: RouterClient,
  records: Records,
  name: string,
  { withTerms = true } = {},
): Promise<SlotPlan> {
  const spaceIds = await Promise.all(
    Array.from({ length: SPACE_COUNT }, async (_, index) => {
      const title = `${name} room ${index}`;
      const listing = {
        name: title,
        hourlyRate: 10_000 + 1_234 * index,
        ...(withTerms
          ? { includedHeadcount: 1, extraPersonHourlyRate: EXTRA_PERSON_HOURLY_RATE }
          : {}),
        ...(withTerms && index === APPROVAL_SPACE ? { bookingMode: 'APPROVAL' as const } : {}),
      };
      const spaceId = await waitUntil('a space is listed', LISTING_TIMEOUT_SECONDS, () =>
        listSpace(hosts, 'host', listing),
      );
      records.spaces.push({ spaceId, name: title });
      return spaceId;
    }),
  );
  return distributeSlots(spaceIds, new Date());
}

/** A customer's own slots depend on its index alone, so that a repeated run requests the same ones. */
function distributeSlots(spaceIds: readonly string[], now: Date): SlotPlan {
  const nextHour = Math.ceil(now.getTime() / HOUR_MS) * HOUR_MS;
  const slot = (space: number, hoursAhead: number, hours: number): Slot => ({
    spaceId: spaceIds[space] as string,
    startAt: new Date(nextHour + hoursAhead * HOUR_MS).toISOString(),
    endAt: new Date(nextHour + (hoursAhead + hours) * HOUR_MS).toISOString(),
  });

  return {
    slotsFor(customer, customerCount) {
      let used = 0;
      const nextIndex = () => customer + customerCount * used++;
      const hotSlot = (random: Random) =>
        slot(HOT_SPACE, 48 + random.between(0, HOT_SLOT_COUNT - 1), random.between(1, 2));
      const approvalSlot = (random: Random) => {
        const hour = random.between(0, APPROVAL_SLOT_COUNT - 1);
        return slot(APPROVAL_SPACE, APPROVAL_SLOT_START_HOUR + hour, 1);
      };
      return {
        hotSlot,
        approvalSlot,
        ownSlot(random) {
          const tier = random.between(0, OWN_SLOT_START_HOURS.length - 1);
          return slot(1 + tier, (OWN_SLOT_START_HOURS[tier] as number) + nextIndex(), 1);
        },
        adjacentSlots() {
          const first = ADJACENT_SLOT_START_HOUR + 3 * nextIndex();
          return [0, 1, 2].map((index) => slot(ADJACENT_SPACE, first + index, 1));
        },
        anotherSlot(spaceId, random) {
          const space = spaceIds.indexOf(spaceId);
          if (space === HOT_SPACE) return hotSlot(random);
          if (space === APPROVAL_SPACE) return approvalSlot(random);
          const first = CHANGED_SLOT_START_HOUR + MAX_CHANGED_HOURS * nextIndex();
          return slot(space, first, random.between(1, MAX_CHANGED_HOURS));
        },
      };
    },
  };
}
