import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { BookingFilter } from '../ports.ts';

/** Parses the argument `filter`; a part that is left out, or null, does not restrict the search. */
export function parseFilter(filter: Partial<BookingFilter> | null | undefined): BookingFilter {
  const parseText = (part: 'customerId' | 'hostId'): string | null => {
    const text = filter?.[part] ?? null;
    if (text !== null && /\p{Cc}/u.test(text)) {
      throw badInput(`filter.${part}`, `The ${part} must not hold control characters.`);
    }
    return text;
  };
  const spaceId = filter?.spaceId ?? null;
  return {
    customerId: parseText('customerId'),
    hostId: parseText('hostId'),
    spaceId: spaceId === null ? null : parseId(spaceId, 'filter.spaceId'),
    status: filter?.status ?? null,
    startsFrom: filter?.startsFrom ?? null,
    startsBefore: filter?.startsBefore ?? null,
    stuck: filter?.stuck ?? null,
  };
}
