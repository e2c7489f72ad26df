import { MAX_FREE_SLOTS_DAYS } from '#contracts/calendars.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { findListedSpace } from '../application/find-listed-space.ts';
import { findFreeSlots } from '../application/free-slots.ts';
import { quotePrice } from '../application/quote-price.ts';
import type { AddOnSelection } from '../domain/price-quote.ts';
import type { TimeSlot } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';
import { toPriceQuote } from './price-quotes.ts';

const MAX_RANGE_MS = MAX_FREE_SLOTS_DAYS * 24 * 3_600_000;

interface PriceQuoteArgs {
  slot: TimeSlot;
  headcount: number;
  addOns?: readonly AddOnSelection[] | null;
}

/** The fields that book adds to a space. */
export function spaceResolvers(ports: BookPorts) {
  return {
    Space: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),

      async freeSlots({ id }: { id: string }, { from, to }: { from: Date; to: Date }) {
        if (to <= from) throw badInput('to', 'to must come after from.');
        if (to.getTime() - from.getTime() > MAX_RANGE_MS) {
          throw badInput('to', 'freeSlots covers at most 31 days: move `to` closer to `from`.');
        }
        const space = await findListedSpace(ports, id);
        return space && findFreeSlots(ports, space, from, to);
      },

      async priceQuote({ id }: { id: string }, { slot, headcount, addOns }: PriceQuoteArgs) {
        const space = await findListedSpace(ports, id);
        if (!space) return null;
        const quote = await quotePrice(ports, space, { slot, headcount, addOns: addOns ?? [] });
        return 'type' in quote ? quote : toPriceQuote(quote, space, slot.startAt);
      },
    },
    PriceQuoteResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}
