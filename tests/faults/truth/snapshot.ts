import pg from 'pg';
import type { Records } from '../load/records.ts';

/** The addresses of the three databases that hold the truth. */
export interface Databases {
  book: string;
  payment: string;
  space: string;
}

/** Everything that matters, copied into tables of one session, where SQL can compare it. */
export interface Snapshot {
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const OUTBOX = `SELECT id, aggregate_id, version, type, awaiting, occurred_at,
  (payload->>'bookingId')::uuid, payload->>'status' FROM outbox`;
const EVENT = `id uuid, aggregate_id uuid, version int, type text, awaiting text[],
  occurred_at timestamptz, booking_id uuid, status text`;
const AUDIT = 'SELECT subject_id, action, user_id FROM audit_entry';
const NOTED = 'subject_id uuid, action text, user_id text';
const INBOX = 'SELECT event_id FROM inbox';

/** The name of each table, where its rows come from, and what they are. */
const TABLES: readonly [name: string, from: keyof Databases, select: string, columns: string][] = [
  [
    'booking',
    'book',
    `SELECT id, customer_id, idempotency_key, space_id, start_at, end_at, headcount, price_amount,
            payment_method, payment_method_digest, status::text, live, version,
            coalesce(refund_amount, price_amount)
       FROM booking`,
    `id uuid, customer_id text, idempotency_key text, space_id uuid, start_at timestamptz,
     end_at timestamptz, headcount int, price int, payment_method text, payment_method_digest text,
     status text, live boolean, version int, refund int`,
  ],
  [
    'slot_hold',
    'book',
    'SELECT owner_id, booking_id, space_id, start_at, end_at, live FROM slot_hold',
    `owner_id uuid, booking_id uuid, space_id uuid, start_at timestamptz, end_at timestamptz,
     live boolean`,
  ],
  [
    'payment',
    'payment',
    'SELECT id, booking_id, customer_id, amount, status::text, refunded, version FROM payment',
    `id uuid, booking_id uuid, customer_id text, amount int, status text, refunded int,
     version int`,
  ],
  [
    'refund',
    'payment',
    `SELECT p.booking_id, r.amount, r.settled_at, r.settled_outside
       FROM refund r JOIN payment p ON p.id = r.payment_id`,
    'booking_id uuid, amount int, settled_at timestamptz, settled_outside boolean',
  ],
  [
    'charge',
    'payment',
    "SELECT key::uuid, amount FROM sandbox_charge WHERE outcome = 'APPROVED'",
    'booking_id uuid, amount int',
  ],
  [
    'given_back',
    'payment',
    'SELECT charge_key::uuid, sum(amount)::int FROM sandbox_refund GROUP BY 1',
    'booking_id uuid, amount int',
  ],
  [
    'registration',
    'space',
    `SELECT id, booking_id, payment_id, space_id, start_at, end_at, status::text, version
       FROM registration`,
    `id uuid, booking_id uuid, payment_id uuid, space_id uuid, start_at timestamptz,
     end_at timestamptz, status text, version int`,
  ],
  [
    'occupied',
    'space',
    'SELECT booking_id, space_id, start_at, end_at, live FROM occupied_slot',
    `booking_id uuid, space_id uuid, start_at timestamptz, end_at timestamptz, live boolean`,
  ],
  ['listed', 'space', 'SELECT id, name, version FROM space', 'id uuid, name text, version int'],
  [
    'catalogue',
    'book',
    'SELECT id, name, version FROM catalogue_space',
    'id uuid, name text, version int',
  ],
  ['book_event', 'book', OUTBOX, EVENT],
  ['payment_event', 'payment', OUTBOX, EVENT],
  ['space_event', 'space', OUTBOX, EVENT],
  ['noted_of_booking', 'book', AUDIT, NOTED],
  ['noted_of_space', 'space', AUDIT, NOTED],
  ['book_inbox', 'book', INBOX, 'event_id uuid'],
  ['payment_inbox', 'payment', INBOX, 'event_id uuid'],
  ['space_inbox', 'space', INBOX, 'event_id uuid'],
];

const INDEXES = [
  'book_event (aggregate_id, version)',
  'payment_event (aggregate_id, version)',
  'space_event (aggregate_id, version)',
  'noted_of_booking (subject_id, action)',
];

/** Copies the databases and what clients were told; `adminUrl` is a superuser's on their server. */
export async function takeSnapshot(
  adminUrl: string,
  databases: Databases,
  records: Records,
): Promise<Snapshot> {
  const client = new pg.Client(adminUrl);
  client.on('error', () => {});
  await client.connect();
  const query = async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) =>
    (await client.query<Row>(sql, values)).rows;
  try {
    await query('CREATE EXTENSION IF NOT EXISTS dblink');
    for (const [name, from, select, columns] of TABLES) {
      await query(
        `CREATE TEMP TABLE ${name} AS SELECT * FROM
           dblink(${client.escapeLiteral(databases[from])}, ${client.escapeLiteral(select)})
           AS t (${columns})`,
      );
    }
    await query(`CREATE TEMP VIEW event AS SELECT 'book' AS of, * FROM book_event
      UNION ALL SELECT 'payment', * FROM payment_event UNION ALL SELECT 'space', * FROM space_event`);
    await parkedEvents(query, client, databases);
    await copyRecords(query, records);
    // Invariants look rows up one by one; a long run has many.
    for (const columns of INDEXES) await query(`CREATE INDEX ON ${columns}`);
    await query('ANALYZE');
  } catch (error) {
    await client.end();
    throw error;
  }
  return { query, close: () => client.end() };
}

type Query = Snapshot['query'];

/** Events that a consumer has given up on, whatever an operator did about them. */
async function parkedEvents(query: Query, client: pg.Client, databases: Databases): Promise<void> {
  await query('CREATE TEMP TABLE parked (of text, event text)');
  const select = `SELECT to_jsonb(d)::text FROM dead_letter d WHERE state <> 'FAILING'`;
  for (const name of ['book', 'payment', 'space'] as const) {
    const here = client.escapeLiteral(databases[name]);
    await query(
      `INSERT INTO parked SELECT '${name}', event FROM
         dblink(${here}, ${client.escapeLiteral(select)}) AS t (event text)`,
    );
  }
}

async function copyRecords(query: Query, records: Records): Promise<void> {
  const asked = records.requests.map(({ customer, key, body, outcome }) => ({
    customer,
    key,
    ...body,
    kind: outcome.kind,
    type: outcome.kind === 'refused' ? outcome.type : null,
    bookingId: outcome.kind === 'unknown' ? null : outcome.bookingId,
    promised: outcome.kind === 'ok' ? outcome.status : null,
    price: outcome.kind === 'ok' ? outcome.price : null,
  }));
  await query(
    `CREATE TEMP TABLE asked AS SELECT customer, key, "spaceId" AS space_id,
            "startAt" AS start_at, "endAt" AS end_at, headcount, "paymentMethod" AS payment_method,
            kind, type, "bookingId" AS booking_id, promised, price
       FROM jsonb_to_recordset($1::jsonb)
         AS t (customer text, key text, "spaceId" uuid, "startAt" timestamptz,
               "endAt" timestamptz, headcount int, "paymentMethod" text, kind text, type text,
               "bookingId" uuid, promised text, price int)`,
    [JSON.stringify(asked)],
  );
  const cancels = records.cancels.map(({ bookingId, outcome }) => ({ bookingId, ...outcome }));
  await query(
    `CREATE TEMP TABLE cancel_asked AS SELECT "bookingId" AS booking_id, kind, type, status, refund
       FROM jsonb_to_recordset($1::jsonb)
         AS t ("bookingId" uuid, kind text, type text, status text, refund int)`,
    [JSON.stringify(cancels)],
  );
  await query(
    `CREATE TEMP TABLE seen AS SELECT "bookingId" AS booking_id, status
       FROM jsonb_to_recordset($1::jsonb) AS t ("bookingId" uuid, status text)`,
    [JSON.stringify([...records.seen].map(([bookingId, status]) => ({ bookingId, status })))],
  );
  await query(
    `CREATE TEMP TABLE listing AS SELECT "spaceId" AS id, name
       FROM jsonb_to_recordset($1::jsonb) AS t ("spaceId" uuid, name text)`,
    [JSON.stringify(records.listings)],
  );
}
