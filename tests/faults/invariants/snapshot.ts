import pg from 'pg';
import type { Records } from '../load/records.ts';
import { type ContextUrls, SNAPSHOT_INDEXES, SNAPSHOT_TABLES } from './snapshot-tables.ts';

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
    for (const { name, context, select, columns } of SNAPSHOT_TABLES) {
      await query(
        `CREATE TEMP TABLE ${name} AS SELECT * FROM
           dblink(${client.escapeLiteral(urls[context])}, ${client.escapeLiteral(select)})
           AS t (${columns})`,
      );
    }
    await query(`CREATE TEMP VIEW event AS SELECT 'book' AS context, * FROM book_event
      UNION ALL SELECT 'payment', * FROM payment_event UNION ALL SELECT 'space', * FROM space_event`);
    await copyParkedEvents(query, client, urls);
    await copyRecords(query, records);
    for (const columns of SNAPSHOT_INDEXES) await query(`CREATE INDEX ON ${columns}`);
    await query('ANALYZE');
  } catch (error) {
    await client.end();
    throw error;
  }
  return { query, close: () => client.end() };
}

/** Events that a consumer has parked, also those that an operator has replayed or discarded since. */
async function copyParkedEvents(query: Query, client: pg.Client, urls: ContextUrls): Promise<void> {
  await query('CREATE TEMP TABLE parked_event (context text, event text)');
  const select = `SELECT to_jsonb(d)::text FROM dead_letter d WHERE state <> 'FAILING'`;
  for (const context of ['book', 'payment', 'space'] as const) {
    const database = client.escapeLiteral(urls[context]);
    await query(
      `INSERT INTO parked_event SELECT '${context}', event FROM
         dblink(${database}, ${client.escapeLiteral(select)}) AS t (event text)`,
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
