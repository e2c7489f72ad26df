import { batched } from '#platform/database/batched.ts';
import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { LONG_TERMS, type LongTerm, type LongTerms } from '../domain/space.ts';

type TermsRow = { id: string } & LongTerms;

const COLUMNS: Record<LongTerm, string> = {
  ...{ openingHours: 'opening_hours', openingExceptions: 'opening_exceptions' },
  ...{ refundTiers: 'refund_tiers', bookingRules: 'booking_rules', priceRules: 'price_rules' },
  ...{ addOns: 'add_ons', photos: 'photos', amenities: 'amenities' },
};

// One text for all selections; a column that is not wanted is neither read from its TOAST table nor sent.
const readTerms = namedStatement<TermsRow, 'ids' | 'terms'>(
  'space-terms',
  `SELECT id, ${LONG_TERMS.map(
    (term) => `CASE WHEN '${term}' = ANY(:terms::text[]) THEN ${COLUMNS[term]} END AS "${term}"`,
  ).join(', ')}
     FROM space WHERE id = ANY(:ids::uuid[])`,
);

/**
 * Reads long terms: the fields of a page of spaces are resolved in one tick, and cost one statement. A space
 * that changes after the page was read has newer terms than its version says: a host's change that is based
 * on them is refused as stale.
 */
export function termReader(pool: Pool) {
  const read = batched(async (calls: readonly { id: string; term: LongTerm }[]) => {
    const ids = [...new Set(calls.map(({ id }) => id))];
    const terms = [...new Set(calls.map(({ term }) => term))];
    const rows = new Map((await readTerms(pool, { ids, terms })).map((row) => [row.id, row]));
    return calls.map(({ id, term }) => rows.get(id)?.[term]);
  });
  return async <Term extends LongTerm>(id: string, term: Term): Promise<LongTerms[Term]> => {
    const value = await read({ id, term });
    if (value === undefined) throw new Error(`the space ${id} has no row`);
    return value as LongTerms[Term];
  };
}
