import type { Invariant } from './invariant.ts';

/** What holds of the responses that the clients of this run received. */
export const clientInvariants: readonly Invariant[] = [
  {
    name: 'an acknowledged booking is stored as it was requested',
    kind: 'lost',
    sql: `SELECT r.booking_id AS subject, format('%s of %s: %s', r.key, r.customer,
                 CASE WHEN b.id IS NULL THEN 'missing' ELSE 'different' END) AS detail
            FROM booking_request r LEFT JOIN requested_booking b ON b.id = r.booking_id
           WHERE r.kind = 'ok' AND (b.customer_id, b.idempotency_key, b.space_id, b.start_at,
                   b.end_at, b.headcount, b.price)
             IS DISTINCT FROM (r.customer, r.key, r.space_id, r.start_at, r.end_at, r.headcount,
                   r.price)`,
  },
  {
    name: 'an acknowledged booking is kept unless its customer cancels it',
    kind: 'lost',
    sql: `SELECT DISTINCT r.booking_id AS subject, format('was %s, is %s', r.responded, b.status) AS detail
            FROM (SELECT booking_id, responded FROM booking_request WHERE kind = 'ok'
                  UNION SELECT booking_id, status FROM decision_request WHERE kind = 'ok'
                  UNION SELECT booking_id, status FROM shown_booking) r
            JOIN booking b ON b.id = r.booking_id
           WHERE NOT EXISTS (
                   SELECT FROM cancel_request c WHERE c.booking_id = r.booking_id)
             AND CASE WHEN r.responded IN ('PAID', 'REGISTERED') THEN b.status <> 'REGISTERED'
                      WHEN r.responded = 'AWAITING_APPROVAL'
                      THEN b.status NOT IN ('AWAITING_APPROVAL', 'REGISTERED', 'DECLINED', 'EXPIRED',
                             'REJECTED')
                      WHEN r.responded IN ('REQUESTED', 'PAYMENT_DEFERRED')
                      THEN b.status NOT IN ('REGISTERED', 'DECLINED', 'EXPIRED')
                      ELSE b.status <> r.responded END`,
  },
  {
    name: 'a booking that was refused with PaymentDeclined is DECLINED',
    kind: 'lost',
    sql: `SELECT r.booking_id AS subject, coalesce(b.status, 'missing') AS detail
            FROM booking_request r LEFT JOIN booking b ON b.id = r.booking_id
           WHERE r.type = 'PaymentDeclined' AND b.status IS DISTINCT FROM 'DECLINED'`,
  },
  {
    // Less when operators gave back a part at the same time: then nothing of the charges is left.
    name: 'an acknowledged cancellation ends as CANCELLED with the refund of the response',
    kind: 'lost',
    sql: `SELECT c.booking_id AS subject, format('responded with %s, is %s with %s, goodwill %s', c.refund,
                 b.status, b.refund, p.goodwill) AS detail
            FROM cancel_request c LEFT JOIN booking b ON b.id = c.booking_id
            LEFT JOIN payment p ON p.booking_id = c.booking_id
           WHERE c.kind = 'ok' AND (b.status, b.refund) IS DISTINCT FROM ('CANCELLED', c.refund)
             AND (b.status = 'CANCELLED' AND b.refund < c.refund AND p.goodwill > 0
                  AND p.refunded = p.amount) IS NOT TRUE`,
  },
  {
    name: "a cancellation by the booking's customer is refused only with BookingNotCancellable",
    kind: 'lost',
    sql: `SELECT booking_id AS subject, type AS detail FROM cancel_request
           WHERE kind = 'refused' AND type <> 'BookingNotCancellable'`,
  },
  {
    name: 'the status in BookingNotCancellable is the final status of the booking',
    kind: 'lost',
    sql: `SELECT c.booking_id AS subject, format('responded with %s, is %s', c.status, b.status) AS detail
            FROM cancel_request c LEFT JOIN booking b ON b.id = c.booking_id
           WHERE c.type = 'BookingNotCancellable' AND b.status IS DISTINCT FROM c.status`,
  },
  {
    name: 'one idempotency key creates one booking',
    kind: 'duplicated',
    sql: `SELECT min(booking_id::text)::uuid AS subject, format('%s of %s: %s bookings', key, customer,
                 count(DISTINCT booking_id)) AS detail
            FROM booking_request WHERE booking_id IS NOT NULL
           GROUP BY customer, key HAVING count(DISTINCT booking_id) > 1`,
  },
  {
    name: 'no two paid bookings in the responses overlap',
    kind: 'duplicated',
    sql: `WITH kept AS (
            SELECT DISTINCT booking_id, space_id, start_at, end_at FROM booking_request r
             WHERE responded IN ('PAID', 'REGISTERED') AND NOT EXISTS (
                     SELECT FROM cancel_request c WHERE c.booking_id = r.booking_id)),
          paid AS (
            SELECT * FROM kept k WHERE NOT EXISTS (
                     SELECT FROM change_request c WHERE c.booking_id = k.booking_id AND c.may_stand)
             UNION
            SELECT k.booking_id, k.space_id, c.start_at, c.end_at
              FROM kept k JOIN change_request c ON c.booking_id = k.booking_id AND c.state = 'APPLIED'
             WHERE NOT EXISTS (
                     SELECT FROM change_request o WHERE o.booking_id = k.booking_id AND o.key <> c.key
                        AND o.may_stand AND coalesce(o.responded > c.sent, TRUE)))
          SELECT a.booking_id AS subject, 'overlaps ' || b.booking_id AS detail
            FROM paid a JOIN paid b
              ON a.space_id = b.space_id AND a.booking_id < b.booking_id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)`,
  },
  {
    name: 'every booking was requested',
    kind: 'unexpected',
    sql: `SELECT b.id AS subject, format('%s of %s', b.idempotency_key, b.customer_id) AS detail
            FROM requested_booking b
           WHERE b.space_id IN (SELECT id FROM acknowledged_space) AND NOT EXISTS (
             SELECT FROM booking_request r WHERE (r.customer, r.key, r.space_id, r.start_at, r.end_at,
                      r.headcount,
                      encode(sha256(convert_to(b.id || ':' || r.payment_method, 'UTF8')), 'hex'))
               = (b.customer_id, b.idempotency_key, b.space_id, b.start_at, b.end_at,
                      b.headcount, b.payment_method_digest))`,
  },
  {
    name: 'a refused request creates no booking',
    kind: 'unexpected',
    sql: `SELECT b.id AS subject, format('%s of %s was refused', r.key, r.customer) AS detail
            FROM (SELECT customer, key FROM booking_request GROUP BY customer, key
                  HAVING bool_and(kind = 'refused' AND booking_id IS NULL)) r
            JOIN booking b ON (b.customer_id, b.idempotency_key) = (r.customer, r.key)`,
  },
  {
    name: 'an acknowledged decision of a host is the decision that is stored',
    kind: 'lost',
    sql: `SELECT d.booking_id AS subject, format('%s, is %s as %s', d.decision, b.decision, b.status) AS detail
            FROM decision_request d LEFT JOIN booking b ON b.id = d.booking_id
           WHERE d.kind = 'ok' AND b.decision IS DISTINCT FROM
                 CASE d.decision WHEN 'approve' THEN 'APPROVED' ELSE 'REJECTED' END`,
  },
  {
    name: 'a decision of a host is refused only with BookingNotDecidable',
    kind: 'lost',
    sql: `SELECT booking_id AS subject, type AS detail FROM decision_request
           WHERE kind = 'refused' AND type <> 'BookingNotDecidable'`,
  },
  {
    name: 'an acknowledged block closes its time until it is removed',
    kind: 'lost',
    sql: `SELECT r.block_id AS subject, format('%s, removal %s, removed %s, live hold %s', r.key, r.removal,
                 b.removed, h.live) AS detail
            FROM block_request r LEFT JOIN block b ON b.id = r.block_id
             AND (b.space_id, b.start_at, b.end_at) = (r.space_id, r.start_at, r.end_at)
            LEFT JOIN slot_hold h ON h.block_id = r.block_id
             AND (h.space_id, h.start_at, h.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE r.kind = 'ok' AND (b.id IS NULL OR h.live IS DISTINCT FROM NOT b.removed
              OR (b.removed AND NOT EXISTS (SELECT FROM block_request o
                   WHERE o.block_id = r.block_id AND o.removal <> 'none'))
              OR (NOT b.removed AND r.removal = 'ok'))`,
  },
  {
    name: 'one idempotency key creates one block, and a refused request none',
    kind: 'duplicated',
    sql: `SELECT NULL::uuid AS subject, format('%s: %s blocks', idempotency_key, count(*)) AS detail
            FROM block GROUP BY idempotency_key HAVING count(*) > 1
           UNION ALL
          SELECT b.id, 'refused as ' || r.key
            FROM (SELECT key FROM block_request GROUP BY key HAVING bool_and(kind = 'refused')) r
            JOIN block b ON b.idempotency_key = r.key
           WHERE b.space_id IN (SELECT id FROM acknowledged_space)`,
  },
  {
    name: 'an acknowledged space is listed',
    kind: 'lost',
    sql: `SELECT a.id AS subject, a.name AS detail FROM acknowledged_space a LEFT JOIN space s USING (id)
           WHERE s.name IS DISTINCT FROM a.name`,
  },
  {
    name: 'an acknowledged change has exactly one audit entry',
    kind: 'lost',
    sql: `SELECT id AS subject, format('%s entries of %s', entries, action) AS detail FROM (
            SELECT b.id, 'requestBooking' AS action, (SELECT count(*) FROM book_audit_entry e
                     WHERE (e.subject_id, e.action) = (b.id, 'requestBooking')) AS entries
              FROM booking b WHERE b.id IN (SELECT booking_id FROM booking_request WHERE kind = 'ok')
             UNION ALL
            SELECT b.id, 'cancelBooking', (SELECT count(*) FROM book_audit_entry e
                     WHERE (e.subject_id, e.action) = (b.id, 'cancelBooking'))
              FROM booking b WHERE b.id IN (SELECT booking_id FROM cancel_request WHERE kind = 'ok')
             UNION ALL
            SELECT d.booking_id, d.action, (SELECT count(*) FROM book_audit_entry e
                     WHERE (e.subject_id, e.action) = (d.booking_id, d.action))
              FROM (SELECT DISTINCT booking_id, decision || 'Booking' AS action FROM decision_request
                     WHERE kind = 'ok') d
             UNION ALL
            SELECT booking_id, 'rescheduleBooking', (SELECT count(*) FROM book_audit_entry e
                     WHERE (e.subject_id, e.action, e.change_id)
                         = (r.booking_id, 'rescheduleBooking', r.change_id))
              FROM change_request r WHERE kind = 'ok'
             UNION ALL
            SELECT block_id, 'blockSlot', (SELECT count(*) FROM book_audit_entry e
                     WHERE (e.subject_id, e.action) = (block_id, 'blockSlot'))
              FROM block_request WHERE kind = 'ok'
             UNION ALL
            SELECT a.id, 'listSpace', (SELECT count(*) FROM space_audit_entry e
                     WHERE (e.subject_id, e.action) = (a.id, 'listSpace'))
              FROM acknowledged_space a) t
           WHERE entries <> 1`,
  },
];
