import type { Random } from '../random.ts';
import { listSpace } from './operations.ts';
import type { Records } from './records.ts';
import type { RouterClient } from './router-client.ts';

const HOUR_MS = 3_600_000;
const HOT_SLOTS = 6;

/** Hours ahead at which a space's own slots begin: no refund first, then half; half; everything. */
const OWN_SLOTS_FROM = [1, 72, 480] as const;
const NEIGHBOURS_FROM = 240;
const SPACES = 1 + OWN_SLOTS_FROM.length + 1;

export interface Slot {
  spaceId: string;
  startAt: string;
  endAt: string;
}

/** What one customer may ask for. */
export interface Seat {
  /** One of a few slots that everybody wants. */
  hotSlot(random: Random): Slot;
  /** One that nobody else asks for. */
  ownSlot(random: Random): Slot;
  /** Three in a row that nobody else asks for. */
  neighbours(): Slot[];
}

export interface Market {
  seat(customer: number, customers: number): Seat;
}

/** Lists the spaces of a run; rejects when they cannot be listed. */
export async function openMarket(
  hosts: RouterClient,
  records: Records,
  name: string,
): Promise<Market> {
  const spaces = await Promise.all(
    Array.from({ length: SPACES }, async (_, index) => {
      const title = `${name} room ${index}`;
      const spaceId = await listSpace(hosts, 'host', title, 10_000 + 1_234 * index);
      if (!spaceId) throw new Error('The spaces of a run could not be listed.');
      records.listings.push({ spaceId, name: title });
      return spaceId;
    }),
  );
  return marketOf(spaces, new Date());
}

/** Every customer's own slots follow from the seat alone: a replay asks for the same ones. */
function marketOf(spaces: readonly string[], now: Date): Market {
  const nextHour = Math.ceil(now.getTime() / HOUR_MS) * HOUR_MS;
  const slot = (space: number, hoursAhead: number, hours: number): Slot => ({
    spaceId: spaces[space] as string,
    startAt: new Date(nextHour + hoursAhead * HOUR_MS).toISOString(),
    endAt: new Date(nextHour + (hoursAhead + hours) * HOUR_MS).toISOString(),
  });

  return {
    seat(customer, customers) {
      let taken = 0;
      const nextPlace = () => customer + customers * taken++;
      return {
        hotSlot: (random) => slot(0, 48 + random.between(0, HOT_SLOTS - 1), random.between(1, 2)),
        ownSlot(random) {
          const tier = random.between(0, OWN_SLOTS_FROM.length - 1);
          return slot(1 + tier, (OWN_SLOTS_FROM[tier] as number) + nextPlace(), 1);
        },
        neighbours() {
          const first = NEIGHBOURS_FROM + 3 * nextPlace();
          return [0, 1, 2].map((index) => slot(SPACES - 1, first + index, 1));
        },
      };
    },
  };
}
