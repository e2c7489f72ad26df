import type { Invariant } from './invariant.ts';

/** What holds of the responses to changes of bookings and to goodwill refunds. */
export const clientChangeInvariants: readonly Invariant[] = [
  {
    name: 'an acknowledged change is stored as it was requested',
    kind: 'lost',
    sql: `SELECT r.booking_id AS subject, format('%s of %s, responded with %s, is %s', r.key, r.customer,
                 r.state, coalesce(c.state, 'missing')) AS detail
            FROM change_request r LEFT JOIN booking_change c ON c.id = r.change_id
           WHERE r.kind = 'ok' AND (
                 (c.booking_id, c.idempotency_key, c.difference, c.to_start_at, c.to_end_at)
                   IS DISTINCT FROM (r.booking_id, r.key, r.expected_difference, r.start_at, r.end_at)
              OR (r.requested_start_at, r.requested_end_at) <> (r.start_at, r.end_at)
              OR r.requested_headcount <> c.to_headcount
              OR (r.state <> 'PENDING' AND c.state <> r.state))`,
  },
  {
    // Of two changes that overlap in time, either may be the later one; one without a response, too.
    name: 'an acknowledged change stands until another one follows',
    kind: 'lost',
    sql: `SELECT r.booking_id AS subject, format('%s of %s: responded with %s to %s for %s people at %s, is %s to %s for %s at %s',
                 r.key, r.customer, r.start_at, r.end_at, r.headcount, r.price, b.start_at, b.end_at,
                 b.headcount, b.price) AS detail
            FROM change_request r LEFT JOIN booking b ON b.id = r.booking_id
           WHERE r.state = 'APPLIED' AND NOT EXISTS (
                   SELECT FROM change_request o
                    WHERE o.booking_id = r.booking_id AND o.key <> r.key AND o.may_stand
                      AND coalesce(o.responded > (SELECT min(f.sent) FROM change_request f
                            WHERE (f.booking_id, f.key) = (r.booking_id, r.key)), TRUE))
             AND (b.start_at, b.end_at, b.headcount, b.price)
                   IS DISTINCT FROM (r.start_at, r.end_at, r.headcount, r.price)`,
  },
  {
    name: 'an acknowledged booking has what was requested, or what a change of it may have brought',
    kind: 'unexpected',
    sql: `SELECT r.booking_id AS subject, format('%s to %s for %s', b.start_at, b.end_at, b.headcount) AS detail
            FROM booking_request r JOIN booking b ON b.id = r.booking_id
           WHERE r.kind = 'ok' AND (
                 ((b.start_at, b.end_at) <> (r.start_at, r.end_at) AND NOT EXISTS (
                   SELECT FROM change_request c WHERE c.booking_id = b.id AND c.may_stand
                      AND (c.requested_start_at, c.requested_end_at) = (b.start_at, b.end_at)))
              OR (b.headcount <> r.headcount AND NOT EXISTS (
                   SELECT FROM change_request c WHERE c.booking_id = b.id AND c.may_stand
                      AND c.requested_headcount = b.headcount)))`,
  },
  {
    name: 'every change was requested',
    kind: 'unexpected',
    sql: `SELECT c.booking_id AS subject, format('%s of %s', c.idempotency_key, b.customer_id) AS detail
            FROM booking_change c JOIN booking b ON b.id = c.booking_id
           WHERE b.space_id IN (SELECT id FROM acknowledged_space) AND NOT EXISTS (
             SELECT FROM change_request r
              WHERE (r.customer, r.booking_id, r.key, r.expected_difference,
                      coalesce(r.requested_start_at, c.from_start_at),
                      coalesce(r.requested_end_at, c.from_end_at),
                      coalesce(r.requested_headcount, c.from_headcount))
                  = (b.customer_id, c.booking_id, c.idempotency_key, c.difference, c.to_start_at,
                      c.to_end_at, c.to_headcount))`,
  },
  {
    name: 'a refused change is not stored, and a declined one is DECLINED',
    kind: 'unexpected',
    sql: `SELECT c.booking_id AS subject, format('%s was refused, is %s', r.key, c.state) AS detail
            FROM (SELECT booking_id, key FROM change_request GROUP BY booking_id, key
                  HAVING bool_and(kind = 'refused' AND type <> 'PaymentDeclined')) r
            JOIN booking_change c ON (c.booking_id, c.idempotency_key) = (r.booking_id, r.key)
           UNION ALL
          SELECT r.booking_id, format('%s was declined, is %s', r.key, coalesce(c.state, 'missing'))
            FROM change_request r
            LEFT JOIN booking_change c ON (c.booking_id, c.idempotency_key) = (r.booking_id, r.key)
           WHERE r.type = 'PaymentDeclined' AND c.state IS DISTINCT FROM 'DECLINED'`,
  },
  {
    name: 'one idempotency key makes one change of a booking',
    kind: 'duplicated',
    sql: `SELECT booking_id AS subject, format('%s: %s changes', key, count(DISTINCT change_id)) AS detail
            FROM change_request WHERE change_id IS NOT NULL
           GROUP BY booking_id, key HAVING count(DISTINCT change_id) > 1
           UNION ALL
          SELECT booking_id, format('%s: %s stored changes', idempotency_key, count(*))
            FROM booking_change GROUP BY booking_id, idempotency_key HAVING count(*) > 1`,
  },
  {
    name: 'the key of a change is refused as used only after another request, and the booking is found',
    kind: 'unexpected',
    sql: `SELECT r.booking_id AS subject, format('%s: %s', r.key, r.type) AS detail FROM change_request r
           WHERE r.type = 'BookingNotFound'
              OR (r.type = 'IdempotencyKeyReused' AND NOT EXISTS (
                   SELECT FROM change_request o WHERE (o.booking_id, o.key) = (r.booking_id, r.key)
                      AND (o.requested_start_at, o.requested_end_at, o.requested_headcount,
                             o.expected_difference)
                        IS DISTINCT FROM (r.requested_start_at, r.requested_end_at,
                             r.requested_headcount, r.expected_difference)))`,
  },
  {
    name: 'an acknowledged goodwill refund is made once, and a refused one never',
    kind: 'lost',
    sql: `SELECT r.booking_id AS subject, format('%s of %s: completed %s', r.key, r.amount, g.settled_at)
                 AS detail
            FROM goodwill_request r
            LEFT JOIN goodwill_refund g ON (g.booking_id, g.idempotency_key) = (r.booking_id, r.key)
           WHERE r.kind = 'ok' AND (g.amount = r.amount AND g.settled_at IS NOT NULL) IS NOT TRUE
           UNION ALL
          SELECT g.booking_id, format('%s was refused', g.idempotency_key)
            FROM (SELECT booking_id, key FROM goodwill_request GROUP BY booking_id, key
                  HAVING bool_and(kind = 'refused')) r
            JOIN goodwill_refund g ON (g.booking_id, g.idempotency_key) = (r.booking_id, r.key)`,
  },
];
