/** The contexts whose databases are on PostgreSQL. */
export const CONTEXTS = ['book', 'payment', 'space'] as const;

type Context = (typeof CONTEXTS)[number];

/** The addresses of the contexts' databases. A system passes those of its other databases, too. */
export type ContextUrls = Record<Context, string>;

/** A table of the snapshot: a query of one context's database, and the columns of its result. */
interface SnapshotTable {
  name: string;
  context: Context;
  select: string;
  columns: string;
}

const EVENTS = {
  select: `SELECT id, aggregate_id, version, type, awaiting, occurred_at,
    (payload->>'bookingId')::uuid, payload->>'status',
    coalesce(payload->'change'->>'changeId', payload->>'changeId')::uuid,
    (payload->'slot'->>'startAt')::timestamptz, (payload->'slot'->>'endAt')::timestamptz,
    (payload->>'headcount')::int, (payload->'price'->>'amount')::int FROM outbox`,
  columns: `id uuid, aggregate_id uuid, version int, type text, awaiting text[],
    occurred_at timestamptz, booking_id uuid, status text, change_id uuid, start_at timestamptz,
    end_at timestamptz, headcount int, price int`,
};
const AUDIT_ENTRIES = {
  select: "SELECT subject_id, action, user_id, (details->>'changeId')::uuid FROM audit_entry",
  columns: 'subject_id uuid, action text, user_id text, change_id uuid',
};
/** The slot, headcount and price of a change's terms, which are stored as JSON. */
const terms = (column: string) =>
  `(${column}->'slot'->>'startAt')::timestamptz, (${column}->'slot'->>'endAt')::timestamptz,
   (${column}->>'headcount')::int, (${column}->'price'->>'amount')::int`;
const INBOX = { select: 'SELECT event_id FROM inbox', columns: 'event_id uuid' };

export const SNAPSHOT_TABLES: readonly SnapshotTable[] = [
  {
    name: 'booking',
    context: 'book',
    select: `SELECT id, customer_id, idempotency_key, space_id, start_at, end_at, headcount,
        price_amount, payment_method, payment_method_digest, status::text, live, version,
        coalesce(refund_amount, price_amount), decision, change_id FROM booking`,
    columns: `id uuid, customer_id text, idempotency_key text, space_id uuid, start_at timestamptz,
      end_at timestamptz, headcount int, price int, payment_method text, payment_method_digest text,
      status text, live boolean, version int, refund int, decision text,
      change_id uuid`,
  },
  {
    name: 'booking_change',
    context: 'book',
    select: `SELECT id, booking_id, idempotency_key, state, ${terms('from_terms')}, ${terms('to_terms')},
        difference, requested_at FROM booking_change`,
    columns: `id uuid, booking_id uuid, idempotency_key text, state text, from_start_at timestamptz,
      from_end_at timestamptz, from_headcount int, from_price int, to_start_at timestamptz,
      to_end_at timestamptz, to_headcount int, to_price int, difference int, requested_at timestamptz`,
  },
  {
    name: 'block',
    context: 'book',
    select: `SELECT id, space_id, start_at, end_at, idempotency_key, removed_at IS NOT NULL FROM block`,
    columns: `id uuid, space_id uuid, start_at timestamptz, end_at timestamptz, idempotency_key text,
      removed boolean`,
  },
  {
    name: 'slot_hold',
    context: 'book',
    select: `SELECT owner_id, booking_id, block_id, change_id, space_id, start_at, end_at, live
      FROM slot_hold`,
    columns: `owner_id uuid, booking_id uuid, block_id uuid, change_id uuid, space_id uuid,
      start_at timestamptz, end_at timestamptz, live boolean`,
  },
  {
    name: 'payment',
    context: 'payment',
    select: `SELECT id, booking_id, customer_id, amount, status::text, refunded, goodwill,
        refunded_for_changes, version FROM payment`,
    columns: `id uuid, booking_id uuid, customer_id text, amount int, status text, refunded int,
      goodwill int, refunded_for_changes int, version int`,
  },
  {
    name: 'payment_change',
    context: 'payment',
    select: `SELECT c.id, p.booking_id, c.difference, c.charge_status, c.refund_amount,
        c.next_attempt_at, c.failed_at, c.settled_at, c.settled_outside
      FROM payment_change c JOIN payment p ON p.id = c.payment_id`,
    columns: `id uuid, booking_id uuid, difference int, charge_status text, refund_amount int,
      next_attempt_at timestamptz, failed_at timestamptz, settled_at timestamptz, settled_outside boolean`,
  },
  {
    name: 'refund',
    context: 'payment',
    select: `SELECT p.booking_id, r.amount, r.settled_at, r.settled_outside
      FROM refund r JOIN payment p ON p.id = r.payment_id`,
    columns: 'booking_id uuid, amount int, settled_at timestamptz, settled_outside boolean',
  },
  {
    name: 'goodwill_refund',
    context: 'payment',
    select: `SELECT g.id, p.booking_id, g.idempotency_key, g.amount, g.settled_at, g.failed_at
      FROM goodwill_refund g JOIN payment p ON p.id = g.payment_id`,
    columns: `id uuid, booking_id uuid, idempotency_key text, amount int, settled_at timestamptz,
      failed_at timestamptz`,
  },
  {
    name: 'single_charge',
    context: 'payment',
    // Release 0.2.0 stored no accounts: it charged a booking once.
    select: `SELECT key::uuid, coalesce(account, key)::uuid, amount FROM sandbox_charge
              WHERE outcome = 'APPROVED'`,
    columns: 'key uuid, booking_id uuid, amount int',
  },
  {
    name: 'provider_charge',
    context: 'payment',
    select: `SELECT coalesce(account, key)::uuid, sum(amount)::int FROM sandbox_charge
              WHERE outcome = 'APPROVED' GROUP BY 1`,
    columns: 'booking_id uuid, amount int',
  },
  {
    name: 'provider_refund',
    context: 'payment',
    select: 'SELECT charge_key::uuid, sum(amount)::int FROM sandbox_refund GROUP BY 1',
    columns: 'booking_id uuid, amount int',
  },
  {
    name: 'registration',
    context: 'space',
    select: `SELECT id, booking_id, payment_id, space_id, start_at, end_at, status::text, version
      FROM registration`,
    columns: `id uuid, booking_id uuid, payment_id uuid, space_id uuid, start_at timestamptz,
      end_at timestamptz, status text, version int`,
  },
  {
    name: 'occupied_slot',
    context: 'space',
    // Without the blocks of hosts, which are no bookings.
    select: `SELECT booking_id, space_id, start_at, end_at, live FROM occupied_slot
              WHERE status IS NULL OR status NOT IN ('BLOCKED', 'UNBLOCKED')`,
    columns:
      'booking_id uuid, space_id uuid, start_at timestamptz, end_at timestamptz, live boolean',
  },
  {
    name: 'space',
    context: 'space',
    select: 'SELECT id, name, version FROM space',
    columns: 'id uuid, name text, version int',
  },
  {
    name: 'catalogue_space',
    context: 'book',
    select: 'SELECT id, name, version FROM catalogue_space',
    columns: 'id uuid, name text, version int',
  },
  { name: 'book_event', context: 'book', ...EVENTS },
  { name: 'payment_event', context: 'payment', ...EVENTS },
  { name: 'space_event', context: 'space', ...EVENTS },
  { name: 'book_audit_entry', context: 'book', ...AUDIT_ENTRIES },
  { name: 'space_audit_entry', context: 'space', ...AUDIT_ENTRIES },
  { name: 'book_inbox', context: 'book', ...INBOX },
  { name: 'payment_inbox', context: 'payment', ...INBOX },
  { name: 'space_inbox', context: 'space', ...INBOX },
];

/** Invariants look up single rows, of which a long series of runs has many. */
export const SNAPSHOT_INDEXES: readonly string[] = [
  'book_event (aggregate_id, version)',
  'payment_event (aggregate_id, version)',
  'space_event (aggregate_id, version)',
  'book_event (change_id)',
  'book_audit_entry (subject_id, action)',
  'booking_change (booking_id)',
  'change_request (booking_id)',
];
