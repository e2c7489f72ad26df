import { MAX_FREE_SLOTS_DAYS } from '#contracts/calendars.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { SlotRange } from './calendar-feed.ts';

const MAX_RANGE_MS = MAX_FREE_SLOTS_DAYS * 24 * 3_600_000;

/** Reads the arguments of `freeSlots` by the rules of `Space.freeSlots`; throws BAD_USER_INPUT. */
export function readSlotRange(args: Readonly<Record<string, unknown>>): SlotRange {
  const spaceId = parseId(String(args.spaceId), 'spaceId');
  const [from, to] = [readInstant(args.from, 'from'), readInstant(args.to, 'to')];
  if (to <= from) throw badInput('to', 'to must come after from.');
  if (to.getTime() - from.getTime() > MAX_RANGE_MS) {
    const limit = `freeSlots covers at most ${MAX_FREE_SLOTS_DAYS} days`;
    throw badInput('to', `${limit}: move \`to\` closer to \`from\`.`);
  }
  return { spaceId, from: from.toISOString(), to: to.toISOString() };
}

/** The offset can move an instant out of the years that RFC 3339 can write. */
function readInstant(value: unknown, field: string): Date {
  const instant = value instanceof Date ? value : new Date(String(value));
  const year = instant.getUTCFullYear();
  if (year >= 1 && year <= 9999) return instant;
  throw badInput(field, `${field} must lie in the years 0001 to 9999 of UTC.`);
}
