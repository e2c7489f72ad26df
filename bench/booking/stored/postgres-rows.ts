import pg from 'pg';
import { HOURLY_RATE } from '../../system/spaces.ts';
import { type IdKind, idKinds, STORED_CUSTOMERS, type StoredBookings } from './stored-bookings.ts';

/** Runs the inserts, which read the bookings from the temporary table `stored`. */
export async function storeRows(
  url: string,
  { count, spaceIds, middle, now }: StoredBookings,
  inserts: readonly string[],
): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `CREATE TEMP TABLE stored AS
       SELECT *, ${idExpression('booking')} AS booking_id, ${idExpression('payment')} AS payment_id,
              ${idExpression('registration')} AS registration_id
         FROM (SELECT n, ($5::uuid[])[n % $2::int + 1] AS space_id,
                      'customer-' || (n % ${STORED_CUSTOMERS}) AS customer_id, requested_at,
                      start_at, start_at + interval '1 hour' AS end_at,
                      lpad(to_hex((extract(epoch FROM requested_at) * 1000)::bigint), 12, '0')
                        AS time_digits,
                      lpad(to_hex(n), 15, '0') AS number_digits
                 FROM (SELECT n,
                              $4::timestamptz - ($1::int - n) * interval '30 seconds'
                                AS requested_at,
                              $3::timestamptz + (n / $2::int - $1::int / $2::int / 2)
                                * interval '2 hours' AS start_at
                         FROM generate_series(1, $1::int) AS n) AS series) AS named`,
      [count, spaceIds.length, middle, now, spaceIds],
    );
    for (const insert of inserts) await client.query(insert);
    await client.query('COMMIT');
    // Autovacuum would have done this if the bookings had been inserted over time.
    await client.query('VACUUM (ANALYZE)');
  } finally {
    await client.end();
  }
}

/** In the form of UUIDv7: the request's time comes first, so that indexes grow as in production. */
function idExpression(kind: IdKind): string {
  const digits = idKinds[kind].toString(16).padStart(3, '0');
  return `(time_digits || '7${digits}8' || number_digits)::uuid`;
}

/** An event that every consumer has acknowledged, except those in `awaited`; with some, it is due. */
function outboxRow(
  event: IdKind,
  aggregate: 'booking' | 'payment' | 'registration',
  version: number,
  topic: string,
  type: string,
  payload: string,
  awaited = '{}',
): string {
  return `
    INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id,
           occurred_at, awaiting, attempts, next_attempt_at)
    SELECT ${idExpression(event)}, ${aggregate}_id, ${version}, '${topic}', '${type}', ${payload},
           booking_id::text, requested_at, '${awaited}', 1, requested_at + interval '5 seconds'
      FROM stored`;
}

function inboxRow(event: IdKind): string {
  return `INSERT INTO inbox (event_id, received_at) SELECT ${idExpression(event)}, requested_at FROM stored`;
}

/** The audit entry of the request. */
const auditRow = `
    INSERT INTO audit_entry (id, at, user_id, acted_as, action, subject_type, subject_id,
           correlation_id, details)
    SELECT ${idExpression('requestAudited')}, requested_at, customer_id, 'customer', 'requestBooking', 'booking',
           booking_id, booking_id::text, jsonb_build_object('spaceId', space_id, 'price',
           jsonb_build_object('amount', ${HOURLY_RATE}, 'currency', 'KRW'))
      FROM stored`;

const instant = (column: string) =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const slot = `jsonb_build_object('startAt', ${instant('start_at')}, 'endAt', ${instant('end_at')})`;

function bookingPayload(status: string): string {
  return `jsonb_build_object('bookingId', booking_id, 'customerId', customer_id,
           'spaceId', space_id, 'spaceName', 'Room', 'slot', ${slot}, 'status', '${status}',
           'price', jsonb_build_object('amount', ${HOURLY_RATE}, 'currency', 'KRW'),
           'refund', jsonb_build_object('amount', 0, 'currency', 'KRW'))`;
}

const paymentPayload = `jsonb_build_object('paymentId', payment_id, 'bookingId', booking_id,
           'spaceId', space_id, 'slot', ${slot}, 'status', 'APPROVED', 'amount', ${HOURLY_RATE},
           'refunded', 0, 'currency', 'KRW')`;

const registrationPayload = `jsonb_build_object('registrationId', registration_id,
           'bookingId', booking_id, 'paymentId', payment_id, 'status', 'REGISTERED',
           'reason', NULL)`;

function bookingRow(status: 'PAID' | 'REGISTERED', version: number): string {
  return `
    INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name, time_zone,
           start_at, end_at, headcount, price_amount, currency, refund_tiers, payment_method, status,
           live, version, requested_at, hold_expires_at, payment_attempts, correlation_id)
    SELECT booking_id, customer_id, '${status}-' || n, space_id, host_id, name, time_zone, start_at,
           end_at, 2, ${HOURLY_RATE}, 'KRW', refund_tiers, 'pm_ok', '${status}', TRUE, ${version},
           requested_at, requested_at + interval '15 minutes', 1, booking_id::text
      FROM stored JOIN catalogue_space c ON c.id = space_id
     ORDER BY n`;
}

/** Bookings that are confirmed. */
export const bookRows = [
  bookingRow('REGISTERED', 3),
  auditRow,
  outboxRow('booked', 'booking', 1, 'booking', 'Booked', bookingPayload('REQUESTED')),
  outboxRow('paid', 'booking', 2, 'booking', 'BookingPaid', bookingPayload('PAID')),
  outboxRow(
    'confirmed',
    'booking',
    3,
    'booking',
    'BookingStatusChanged',
    bookingPayload('REGISTERED'),
  ),
  inboxRow('approved'),
  inboxRow('registered'),
];

export const paymentRows = [
  `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
          payment_method, status, version, requested_at, approved_at, correlation_id)
   SELECT payment_id, booking_id, customer_id, space_id, start_at, end_at, ${HOURLY_RATE}, 'KRW',
          'pm_ok', 'APPROVED', 2, requested_at, requested_at, booking_id::text
     FROM stored`,
  `INSERT INTO sandbox_charge (key, outcome, amount, currency, charged_at)
   SELECT booking_id::text, 'APPROVED', ${HOURLY_RATE}, 'KRW', requested_at FROM stored`,
  outboxRow('approved', 'payment', 2, 'payment-approved', 'PaymentApproved', paymentPayload),
];

/** Bookings that are paid, with events that wait for space. */
export const paidBookRows = [
  bookingRow('PAID', 2),
  auditRow,
  outboxRow('booked', 'booking', 1, 'booking', 'Booked', bookingPayload('REQUESTED')),
  outboxRow('paid', 'booking', 2, 'booking', 'BookingPaid', bookingPayload('PAID'), '{space}'),
];

export const paidPaymentRows = [
  ...paymentRows.slice(0, -1),
  outboxRow(
    'approved',
    'payment',
    2,
    'payment-approved',
    'PaymentApproved',
    paymentPayload,
    '{space}',
  ),
];

export const paidSpaceRows = [
  `INSERT INTO occupied_slot (booking_id, space_id, start_at, end_at, live, version)
   SELECT booking_id, space_id, start_at, end_at, TRUE, 1 FROM stored`,
  inboxRow('booked'),
];

export const spaceRows = [
  `INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
          version, registered_at)
   SELECT registration_id, booking_id, payment_id, space_id, start_at, end_at, 'REGISTERED', 1,
          requested_at
     FROM stored`,
  `INSERT INTO occupied_slot (booking_id, space_id, start_at, end_at, live, version, status,
          payment_id)
   SELECT booking_id, space_id, start_at, end_at, TRUE, 3, 'REGISTERED', payment_id FROM stored`,
  outboxRow('registered', 'registration', 1, 'registration', 'Registered', registrationPayload),
  inboxRow('booked'),
  inboxRow('paid'),
  inboxRow('confirmed'),
  inboxRow('approved'),
];
