import pg from 'pg';
import type { Records } from '../load/records.ts';
import {
  CONTEXTS,
  type ContextUrls,
  SNAPSHOT_INDEXES,
  SNAPSHOT_TABLES,
} from './snapshot-tables.ts';

/** A copy of all contexts' data in temporary tables of one session, where one query can join them. */
export interface Snapshot {
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

type Query = Snapshot['query'];

/**
 * Copies the databases and the records of clients. `adminUrl` is a superuser's on the databases'
 * server: dblink without a password needs one.
 */
export async function createSnapshot(
  adminUrl: string,
  urls: ContextUrls,
  records: Records,
): Promise<Snapshot> {
  const client = new pg.Client(adminUrl);
  client.on('error', () => {});
  await client.connect();
  const query = async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) =>
    (await client.query<Row>(sql, values)).rows;
  try {
    await query('CREATE EXTENSION IF NOT EXISTS dblink');
    for (const context of CONTEXTS) {
      await query('SELECT dblink_connect($1, $2)', [context, urls[context]]);
    }
    for (const { name, context, select, columns } of SNAPSHOT_TABLES) {
      await query(
        `CREATE TEMP TABLE ${name} AS SELECT * FROM
           dblink('${context}', ${client.escapeLiteral(select)})
           AS t (${columns})`,
      );
    }
    await query(`CREATE TEMP VIEW event AS SELECT 'book' AS context, * FROM book_event
      UNION ALL SELECT 'payment', * FROM payment_event UNION ALL SELECT 'space', * FROM space_event`);
    await query(REQUESTED_BOOKING);
    await query(CHANGE_BALANCE);
    await copyParkedEvents(query);
    await copyRecords(query, records);
    for (const columns of SNAPSHOT_INDEXES) await query(`CREATE INDEX ON ${columns}`);
    await query(`ANALYZE ${(await temporaryTables(query)).join(', ')}`);
  } catch (error) {
    await client.end();
    throw error;
  }
  return { query, close: () => client.end() };
}

async function temporaryTables(query: Query): Promise<string[]> {
  const tables = await query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
      WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'`,
  );
  return tables.map(({ name }) => name);
}

/** Bookings with the slot, headcount and price of their requests, which changes replace. */
const REQUESTED_BOOKING = `CREATE TEMP VIEW requested_booking AS
  SELECT b.id, b.customer_id, b.idempotency_key, b.space_id, b.payment_method_digest,
         coalesce(c.from_start_at, b.start_at) AS start_at, coalesce(c.from_end_at, b.end_at) AS end_at,
         coalesce(c.from_headcount, b.headcount) AS headcount, coalesce(c.from_price, b.price) AS price
    FROM booking b LEFT JOIN LATERAL (
      SELECT * FROM booking_change WHERE booking_id = b.id ORDER BY requested_at, id LIMIT 1) c ON TRUE`;

/**
 * What changes owed back but could not give: goodwill refunds had left less. `outside`: what they gave back
 * another way than through the provider.
 */
const CHANGE_BALANCE = `CREATE TEMP VIEW change_balance AS
  SELECT p.booking_id,
         coalesce(sum(abs(c.difference) - c.refund_amount), 0)::int AS kept,
         coalesce(sum(c.refund_amount) FILTER (WHERE c.settled_outside), 0)::int AS outside
    FROM payment p LEFT JOIN payment_change c USING (booking_id) GROUP BY 1`;

/** Events that a consumer has parked, also those that an operator has replayed or discarded since. */
async function copyParkedEvents(query: Query): Promise<void> {
  await query('CREATE TEMP TABLE parked_event (context text, event text)');
  for (const context of CONTEXTS) {
    await query(
      `INSERT INTO parked_event SELECT '${context}', event FROM
         dblink('${context}', $$SELECT to_jsonb(d)::text FROM dead_letter d WHERE state <> 'FAILING'$$)
         AS t (event text)`,
    );
  }
}

async function copyRecords(query: Query, records: Records): Promise<void> {
  const requests = records.requests.map(({ customer, key, input, outcome }) => ({
    customer,
    key,
    ...input,
    kind: outcome.kind,
    type: outcome.kind === 'refused' ? outcome.type : null,
    bookingId: outcome.kind === 'unknown' ? null : outcome.bookingId,
    responded: outcome.kind === 'ok' ? outcome.status : null,
    price: outcome.kind === 'ok' ? outcome.price : null,
  }));
  await query(
    `CREATE TEMP TABLE booking_request AS SELECT customer, key, "spaceId" AS space_id,
            "startAt" AS start_at, "endAt" AS end_at, headcount, "paymentMethod" AS payment_method,
            kind, type, "bookingId" AS booking_id, responded, price
       FROM jsonb_to_recordset($1::jsonb)
         AS t (customer text, key text, "spaceId" uuid, "startAt" timestamptz,
               "endAt" timestamptz, headcount int, "paymentMethod" text, kind text, type text,
               "bookingId" uuid, responded text, price int)`,
    [JSON.stringify(requests)],
  );
  const cancels = records.cancels.map(({ bookingId, outcome }) => ({ bookingId, ...outcome }));
  await query(
    `CREATE TEMP TABLE cancel_request AS SELECT "bookingId" AS booking_id, kind, type, status, refund
       FROM jsonb_to_recordset($1::jsonb)
         AS t ("bookingId" uuid, kind text, type text, status text, refund int)`,
    [JSON.stringify(cancels)],
  );
  await copyHostRecords(query, records);
  await copyChangeRecords(query, records);
  const shown = [...records.shownStatuses].map(([bookingId, status]) => ({ bookingId, status }));
  await query(
    `CREATE TEMP TABLE shown_booking AS SELECT "bookingId" AS booking_id, status
       FROM jsonb_to_recordset($1::jsonb) AS t ("bookingId" uuid, status text)`,
    [JSON.stringify(shown)],
  );
  await query(
    `CREATE TEMP TABLE acknowledged_space AS SELECT "spaceId" AS id, name
       FROM jsonb_to_recordset($1::jsonb) AS t ("spaceId" uuid, name text)`,
    [JSON.stringify(records.spaces)],
  );
}

async function copyHostRecords(query: Query, { decisions, blocks }: Records): Promise<void> {
  await query(
    `CREATE TEMP TABLE decision_request AS SELECT "bookingId" AS booking_id, decision, kind, type, status
       FROM jsonb_to_recordset($1::jsonb)
         AS t ("bookingId" uuid, decision text, kind text, type text, status text)`,
    [JSON.stringify(decisions.map(({ outcome, ...rest }) => ({ ...rest, ...outcome })))],
  );
  await query(
    `CREATE TEMP TABLE block_request AS SELECT key, "spaceId" AS space_id, "startAt" AS start_at,
            "endAt" AS end_at, kind, type, "blockId" AS block_id, removal
       FROM jsonb_to_recordset($1::jsonb)
         AS t (key text, "spaceId" uuid, "startAt" timestamptz, "endAt" timestamptz, kind text,
               type text, "blockId" uuid, removal text)`,
    [JSON.stringify(blocks.map(({ outcome, ...rest }) => ({ ...rest, ...outcome })))],
  );
}

async function copyChangeRecords(query: Query, { reschedules, goodwill }: Records): Promise<void> {
  const changes = reschedules.map(({ input, outcome, ...rest }) => ({
    ...rest,
    requestedStartAt: input.slot?.startAt,
    requestedEndAt: input.slot?.endAt,
    requestedHeadcount: input.headcount,
    expectedDifference: input.expectedDifference,
    ...outcome,
  }));
  // `may_stand`: the change may be made, or be made yet.
  await query(
    `CREATE TEMP TABLE change_request AS SELECT customer, "bookingId" AS booking_id, key,
            "requestedStartAt" AS requested_start_at, "requestedEndAt" AS requested_end_at,
            "requestedHeadcount" AS requested_headcount, "expectedDifference" AS expected_difference,
            sent, responded, kind, type, "changeId" AS change_id, state, "startAt" AS start_at,
            "endAt" AS end_at, headcount, price,
            kind = 'unknown' OR coalesce(state IN ('PENDING', 'APPLIED'), FALSE) AS may_stand
       FROM jsonb_to_recordset($1::jsonb)
         AS t (customer text, "bookingId" uuid, key text, "requestedStartAt" timestamptz,
               "requestedEndAt" timestamptz, "requestedHeadcount" int, "expectedDifference" int,
               sent int, responded int, kind text, type text, "changeId" uuid, state text,
               "startAt" timestamptz, "endAt" timestamptz, headcount int, price int)`,
    [JSON.stringify(changes)],
  );
  await query(
    `CREATE TEMP TABLE goodwill_request AS SELECT "bookingId" AS booking_id, key, amount, kind, type
       FROM jsonb_to_recordset($1::jsonb)
         AS t ("bookingId" uuid, key text, amount int, kind text, type text)`,
    [JSON.stringify(goodwill.map(({ outcome, ...rest }) => ({ ...rest, ...outcome })))],
  );
}
