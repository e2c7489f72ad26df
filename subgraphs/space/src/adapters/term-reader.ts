import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { LONG_TERMS, type LongTerm, type LongTerms } from '../domain/space.ts';

type TermsRow = { id: string } & LongTerms;

/** The calls of one tick: what they read together. */
interface Batch {
  ids: Set<string>;
  terms: Set<LongTerm>;
  rows: Promise<ReadonlyMap<string, LongTerms>>;
}

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
  let open: Batch | null = null;

  function openBatch(): Batch {
    const batch = { ids: new Set<string>(), terms: new Set<LongTerm>() };
    const rows = endOfTick().then(async () => {
      open = null;
      const found = await readTerms(pool, { ids: [...batch.ids], terms: [...batch.terms] });
      return new Map<string, LongTerms>(found.map((row) => [row.id, row]));
    });
    return { ...batch, rows };
  }

  return async <Term extends LongTerm>(id: string, term: Term): Promise<LongTerms[Term]> => {
    open ??= openBatch();
    const { ids, terms, rows } = open;
    ids.add(id);
    terms.add(term);
    const row = (await rows).get(id);
    if (!row) throw new Error(`the space ${id} has no row`);
    return row[term];
  };
}

/** After the promise jobs of this tick: resolvers that continue from one statement form the next batch. */
function endOfTick(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
