import type { Pool } from '#platform/database/postgres.ts';
import { MAX_BUFFER_MINUTES } from '../domain/checks/booking-rules.ts';
import type { FoundSpace } from '../domain/space.ts';
import { toAmenityKey } from '../domain/space-terms.ts';
import type { SpaceOrder, SpacePage, SpacePosition, SpaceSearch } from '../ports.ts';
import { FOUND_COLUMNS, type RowOf, toFoundSpace } from './space-rows.ts';

type AddParameter = (value: unknown, type: string) => string;

/** The expression of the index `space_text`. */
const TEXT = "lower(name || E'\\n' || description || E'\\n' || address)";

/** Sort keys, one direction for all of them: a row comparison with the last row then finds the next. */
const ORDERS: Record<
  SpaceOrder,
  {
    keys: readonly string[];
    direction: 'ASC' | 'DESC';
    toValues: (position: SpacePosition, add: AddParameter) => string[];
  }
> = {
  // Ids rise with the time of listing.
  NEWEST: { keys: ['id'], direction: 'DESC', toValues: ({ id }, add) => [add(id, 'uuid')] },
  PRICE_LOW_FIRST: { ...byPrice(), direction: 'ASC' },
  PRICE_HIGH_FIRST: { ...byPrice(), direction: 'DESC' },
  NAME: {
    // The expression of the index `space_name`.
    keys: ['lower(name) COLLATE "C"', 'id'],
    direction: 'ASC',
    toValues: ({ name, id }, add) => [`lower(${add(name, 'text')}) COLLATE "C"`, add(id, 'uuid')],
  },
};

function byPrice() {
  return {
    keys: ['currency', 'hourly_rate', 'id'],
    toValues: ({ currency, hourlyRate, id }: SpacePosition, add: AddParameter) => [
      add(currency, 'currency'),
      add(hourlyRate, 'int'),
      add(id, 'uuid'),
    ],
  };
}

interface Statement {
  text: string;
  values: unknown[];
}

/** The statement of a search: with the given conditions only, so that each can use its index. */
export function searchStatement(search: SpaceSearch, page: SpacePage): Statement {
  const { values, add, conditions, orderBy } = toParts(search, page);
  return {
    text: `SELECT ${FOUND_COLUMNS}
      FROM space s WHERE ${conditions.join('\n  AND ')}
     ORDER BY ${orderBy} LIMIT ${add(page.limit, 'int')}`,
    values,
  };
}

/** How many spaces in the order of a page are read before the index of the amenities is. */
const FIRST_READ = 10_000;

/** The search among the first spaces in the order of the page: finds common amenities. */
export function nearStatement(search: SpaceSearch, page: SpacePage): Statement {
  const { values, add, placed, filters, keys, direction, orderBy } = toParts(search, page);
  // The order of an expression is known outside of the subquery by its name alone.
  const named = keys.map((key, index) => `${key} AS key_${index}`);
  const outside = keys.map((_, index) => `key_${index} ${direction}`);
  return {
    text: `SELECT ${FOUND_COLUMNS}
      FROM (SELECT *, ${named.join(', ')} FROM space WHERE ${placed.join(' AND ')}
             ORDER BY ${orderBy} LIMIT ${FIRST_READ}) s
     WHERE ${filters.join('\n  AND ')}
     ORDER BY ${outside.join(', ')} LIMIT ${add(page.limit, 'int')}`,
    values,
  };
}

/** The search among all spaces that have the amenities: finds rare ones. */
export function rareStatement(search: SpaceSearch, page: SpacePage): Statement {
  const { values, add, conditions, orderBy } = toParts(search, page);
  return {
    text: `WITH hits AS MATERIALIZED (
        SELECT id, name, currency, hourly_rate FROM space s WHERE ${conditions.join('\n  AND ')})
      SELECT ${FOUND_COLUMNS} FROM space
       WHERE id IN (SELECT id FROM hits ORDER BY ${orderBy} LIMIT ${add(page.limit, 'int')})
       ORDER BY ${orderBy}`,
    values,
  };
}

function toParts(search: SpaceSearch, { orderBy, after }: SpacePage) {
  const values: unknown[] = [];
  const add: AddParameter = (value, type) => `$${values.push(value)}::${type}`;
  const { keys, direction, toValues } = ORDERS[orderBy];
  // Which spaces the list has from the cursor on. The first is the condition of the orders' indexes.
  const placed = [
    search.hostId === null ? "state <> 'ARCHIVED'" : `host_id = ${add(search.hostId, 'text')}`,
  ];
  if (after !== null) {
    const comparison = direction === 'ASC' ? '>' : '<';
    placed.push(`(${keys.join(', ')}) ${comparison} (${toValues(after, add).join(', ')})`);
  }
  const filters = toFilters(search, add);
  return {
    ...{ values, add, keys, direction, placed, filters },
    conditions: [...placed, ...filters],
    orderBy: keys.map((key) => `${key} ${direction}`).join(', '),
  };
}

function toFilters(search: SpaceSearch, add: AddParameter): string[] {
  const { text, minCapacity, maxHourlyRate, currency, freeDuring, amenities } = search;
  const conditions: string[] = [];
  if (text !== null) {
    const wanted = `lower(${add(text, 'text')})`;
    // The index finds texts that have all pieces; strpos checks their order.
    conditions.push(`text_pieces(${TEXT}) @> text_pieces(${wanted})`);
    conditions.push(`strpos(${TEXT}, ${wanted}) > 0`);
  }
  if (minCapacity !== null) conditions.push(`capacity >= ${add(minCapacity, 'int')}`);
  if (currency !== null) conditions.push(`currency = ${add(currency, 'currency')}`);
  if (maxHourlyRate !== null) conditions.push(`hourly_rate <= ${add(maxHourlyRate, 'int')}`);
  if (amenities !== null) {
    conditions.push(`amenity_keys @> ${add(amenities.map(toAmenityKey), 'text[]')}`);
  }
  if (freeDuring !== null) {
    conditions.push("state = 'ACTIVE'", toFreeCondition(freeDuring, add));
  }
  return conditions;
}

/**
 * A new booking would hold the range and the space's own buffers. The index has slots without buffers: it
 * finds those as near to the range as two of them reach, the new booking's and the stored one's, and the
 * holds of the few that it finds are compared. NOT EXISTS could be planned as a join that reads every live
 * slot.
 */
function toFreeCondition(
  { startAt, endAt }: { startAt: Date; endAt: Date },
  add: AddParameter,
): string {
  const [start, end] = [add(startAt, 'timestamptz'), add(endAt, 'timestamptz')];
  const reach = `interval '${2 * MAX_BUFFER_MINUTES} minutes'`;
  const own = (part: 'bufferBeforeMinutes' | 'bufferAfterMinutes') =>
    `make_interval(mins => (s.booking_rules ->> '${part}')::int)`;
  return `NOT coalesce((
      SELECT TRUE FROM occupied_slot o
       WHERE o.space_id = s.id AND o.live
         AND tstzrange(o.start_at, o.end_at, '[)') && tstzrange(${start} - ${reach}, ${end} + ${reach}, '[)')
         AND coalesce(o.hold_start_at, o.start_at) < ${end} + ${own('bufferAfterMinutes')}
         AND coalesce(o.hold_end_at, o.end_at) > ${start} - ${own('bufferBeforeMinutes')}
       LIMIT 1), FALSE)`;
}

/**
 * A page of spaces without their long terms, of one statement: a space that changes meanwhile is returned
 * as the order saw it, so that its cursor is its place. The statements have no names: PostgreSQL plans them
 * for their values, and a common text needs another plan than a rare one. Of amenities it knows how common
 * the common ones are alone, and would look for a missing one in all spaces: a page that the first spaces
 * do not fill is read from their index.
 */
export async function searchSpaces(
  pool: Pool,
  search: SpaceSearch,
  page: SpacePage,
): Promise<FoundSpace[]> {
  const read = async (statement: Statement) =>
    (await pool.query<RowOf<FoundSpace>>(statement)).rows.map(toFoundSpace);
  // To compare a text with many spaces takes long: a search by text begins with the index of texts.
  if (search.amenities === null || search.text !== null) return read(searchStatement(search, page));
  const near = await read(nearStatement(search, page));
  return near.length === page.limit ? near : read(rareStatement(search, page));
}
