/** What a broken invariant means: something is missing, is there twice, or nobody asked for it. */
export type Kind = 'lost' | 'doubled' | 'unexpected';

export interface Invariant {
  name: string;
  kind: Kind;
  /** Selects what breaks it: `culprit`, the id of a booking (or event, or space), and `detail`. */
  sql: string;
}

/** True of the databases whenever things are quiet, whoever asked for what. */
export const databaseInvariants: readonly Invariant[] = [
  {
    name: 'no two live bookings of a space overlap',
    kind: 'doubled',
    sql: `SELECT a.id AS culprit, 'overlaps ' || b.id AS detail
            FROM booking a JOIN booking b ON a.space_id = b.space_id AND a.id < b.id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)
           WHERE a.live AND b.live`,
  },
  {
    name: 'no two owners hold a space at the same time',
    kind: 'doubled',
    sql: `SELECT a.owner_id AS culprit, 'overlaps ' || b.owner_id AS detail
            FROM slot_hold a JOIN slot_hold b ON a.space_id = b.space_id AND a.owner_id < b.owner_id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)
           WHERE a.live AND b.live`,
  },
  {
    name: 'a booking holds its slot exactly while it is live',
    kind: 'lost',
    sql: `SELECT coalesce(b.id, h.booking_id) AS culprit,
                 format('%s, with a live hold: %s', coalesce(b.status, 'no booking'),
                        h.booking_id IS NOT NULL) AS detail
            FROM (SELECT * FROM booking WHERE live) b
            FULL JOIN (SELECT * FROM slot_hold WHERE live AND booking_id IS NOT NULL) h
              ON h.booking_id = b.id
             AND (h.space_id, h.start_at, h.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE b.id IS NULL OR h.booking_id IS NULL`,
  },
  {
    name: 'no two registered uses of a space overlap',
    kind: 'doubled',
    sql: `SELECT a.booking_id AS culprit, 'overlaps ' || b.booking_id AS detail
            FROM registration a JOIN registration b ON a.space_id = b.space_id AND a.id < b.id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)
           WHERE a.status = 'REGISTERED' AND b.status = 'REGISTERED'`,
  },
  {
    name: 'a booking has one payment and one registration',
    kind: 'doubled',
    sql: `SELECT booking_id AS culprit, count(*) || ' payments' AS detail
            FROM payment GROUP BY booking_id HAVING count(*) > 1
           UNION ALL
          SELECT booking_id, count(*) || ' registrations'
            FROM registration GROUP BY booking_id HAVING count(*) > 1`,
  },
  {
    name: 'a confirmed booking is paid and registered',
    kind: 'lost',
    sql: `SELECT b.id AS culprit, format('payment %s of %s, registration %s', p.status, p.amount,
                 r.status) AS detail
            FROM booking b LEFT JOIN payment p ON p.booking_id = b.id
            LEFT JOIN registration r ON r.booking_id = b.id AND r.payment_id = p.id
             AND (r.space_id, r.start_at, r.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE b.status = 'REGISTERED'
             AND (p.status = 'APPROVED' AND p.amount = b.price AND p.refunded = 0
                  AND r.status = 'REGISTERED') IS NOT TRUE`,
  },
  {
    name: 'what is approved and not given back is confirmed',
    kind: 'lost',
    sql: `SELECT p.booking_id AS culprit, coalesce(b.status, 'no booking') AS detail
            FROM payment p LEFT JOIN booking b ON b.id = p.booking_id
            LEFT JOIN refund f ON f.booking_id = p.booking_id
           WHERE p.status = 'APPROVED' AND f.booking_id IS NULL
             AND b.status IS DISTINCT FROM 'REGISTERED'`,
  },
  {
    name: 'what is registered belongs to a confirmed booking',
    kind: 'unexpected',
    sql: `SELECT r.booking_id AS culprit, coalesce(b.status, 'no booking') AS detail
            FROM registration r LEFT JOIN booking b ON b.id = r.booking_id
           WHERE r.status = 'REGISTERED' AND b.status IS DISTINCT FROM 'REGISTERED'`,
  },
  {
    name: 'what was charged and released is given back once, as quoted',
    kind: 'lost',
    sql: `SELECT b.id AS culprit, format('%s, quoted %s, given back %s, refund %s', b.status, b.refund,
                 coalesce(g.amount, 0), f.amount) AS detail
            FROM booking b JOIN charge c ON c.booking_id = b.id
            LEFT JOIN given_back g ON g.booking_id = b.id
            LEFT JOIN refund f ON f.booking_id = b.id
            LEFT JOIN payment p ON p.booking_id = b.id
           WHERE b.status IN ('CANCELLED', 'DECLINED', 'EXPIRED')
             AND (coalesce(g.amount, 0) = CASE WHEN f.settled_outside THEN 0 ELSE b.refund END
                  AND f.amount = b.refund AND p.refunded = b.refund) IS NOT TRUE`,
  },
  {
    name: 'nothing is given back of what stands or was never charged',
    kind: 'doubled',
    sql: `SELECT g.booking_id AS culprit, format('%s of %s', g.amount, coalesce(b.status, 'no booking'))
                 AS detail
            FROM given_back g LEFT JOIN booking b ON b.id = g.booking_id
            LEFT JOIN charge c ON c.booking_id = g.booking_id
           WHERE c.amount IS NULL OR g.amount > c.amount OR b.id IS NULL OR b.live
           UNION ALL
          SELECT b.id, 'a refund is owed' FROM booking b JOIN refund f ON f.booking_id = b.id
           WHERE b.live`,
  },
  {
    name: 'payments agree with the books of the provider',
    kind: 'lost',
    sql: `SELECT p.booking_id AS culprit, format('%s of %s, refunded %s; charged %s, given back %s',
                 p.status, p.amount, p.refunded, c.amount, g.amount) AS detail
            FROM payment p LEFT JOIN charge c ON c.booking_id = p.booking_id
            LEFT JOIN given_back g ON g.booking_id = p.booking_id
            LEFT JOIN refund f ON f.booking_id = p.booking_id
           WHERE p.refunded <> CASE WHEN f.settled_outside THEN f.amount ELSE coalesce(g.amount, 0) END
              OR (f.settled_outside AND g.amount IS NOT NULL)
              OR CASE WHEN p.status IN ('APPROVED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'REFUND_FAILED')
                      THEN c.amount IS DISTINCT FROM p.amount ELSE c.amount IS NOT NULL END`,
  },
  {
    name: 'charges minus refunds are the money of live bookings and what cancelling cost',
    kind: 'lost',
    sql: `SELECT NULL::uuid AS culprit, format('%s is there, %s is due', there, due) AS detail FROM (
            SELECT (SELECT coalesce(sum(amount), 0) FROM charge)
                   - (SELECT coalesce(sum(amount), 0) FROM given_back)
                   - (SELECT coalesce(sum(amount), 0) FROM refund WHERE settled_outside) AS there,
                   (SELECT coalesce(sum(price), 0) FROM booking WHERE status = 'REGISTERED')
                   + (SELECT coalesce(sum(b.price - b.refund), 0) FROM booking b
                        JOIN charge c ON c.booking_id = b.id WHERE b.status = 'CANCELLED') AS due) t
           WHERE there <> due`,
  },
  {
    name: 'nothing belongs to a booking that does not exist',
    kind: 'unexpected',
    sql: `SELECT t.booking_id AS culprit, t.what AS detail FROM (
            SELECT booking_id, 'charge' AS what FROM charge UNION ALL
            SELECT booking_id, 'payment' FROM payment UNION ALL
            SELECT booking_id, 'registration' FROM registration UNION ALL
            SELECT booking_id, 'occupied slot' FROM occupied UNION ALL
            SELECT booking_id, of || ' event' FROM event WHERE booking_id IS NOT NULL) t
            LEFT JOIN booking b ON b.id = t.booking_id WHERE b.id IS NULL`,
  },
  {
    name: 'nothing is unfinished',
    kind: 'lost',
    sql: `SELECT id AS culprit, 'booking is ' || status AS detail FROM booking
           WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING')
           UNION ALL
          SELECT booking_id, 'payment is ' || status FROM payment WHERE status = 'PENDING'
           UNION ALL
          SELECT booking_id, 'refund is not settled' FROM refund WHERE settled_at IS NULL`,
  },
  {
    name: 'a payment method is kept only while it may be charged',
    kind: 'unexpected',
    sql: `SELECT id AS culprit, 'booking is ' || status AS detail FROM booking
           WHERE status NOT IN ('REQUESTED', 'PAYMENT_DEFERRED') AND payment_method <> ''`,
  },
  {
    name: 'every event is acknowledged',
    kind: 'lost',
    sql: `SELECT id AS culprit, format('%s of %s awaits %s', type, of, awaiting) AS detail
            FROM event WHERE awaiting <> '{}'`,
  },
  {
    name: 'no event is parked',
    kind: 'unexpected',
    sql: `SELECT NULL::uuid AS culprit, of || ': ' || event AS detail FROM parked`,
  },
  {
    name: 'what is acknowledged is held by its consumer',
    kind: 'lost',
    sql: `SELECT id AS culprit, format('%s is not held by %s', type, consumer) AS detail FROM (
            SELECT e.id, e.type, 'payment' AS consumer FROM book_event e
             WHERE e.type IN ('BookingCancelled', 'BookingReleased') AND NOT 'payment' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM payment_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'space' FROM book_event e
             WHERE e.type <> 'BookingStatusChanged' AND NOT 'space' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM space_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'space' FROM payment_event e
             WHERE e.type = 'PaymentApproved' AND NOT 'space' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM space_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'book' FROM payment_event e
             WHERE e.type = 'PaymentCancelled' AND NOT 'book' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM book_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'book' FROM space_event e
             WHERE NOT 'book' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM book_inbox i WHERE i.event_id = e.id)) t`,
  },
  {
    name: 'one event tells of each version',
    kind: 'doubled',
    sql: `SELECT aggregate_id AS culprit, format('%s events of version %s', count(*), version) AS detail
            FROM event GROUP BY of, aggregate_id, version HAVING count(*) > 1`,
  },
  {
    name: 'the newest event tells the present status',
    kind: 'lost',
    sql: `SELECT culprit, format('it is %s, told is %s', is_now, told) AS detail FROM (
            SELECT b.id AS culprit, b.status AS is_now, (SELECT e.status FROM book_event e
                     WHERE e.aggregate_id = b.id ORDER BY e.version DESC LIMIT 1) AS told
              FROM booking b UNION ALL
            SELECT p.booking_id, p.status || p.version, (SELECT e.status || e.version FROM payment_event e
                     WHERE e.aggregate_id = p.id ORDER BY e.version DESC LIMIT 1) FROM payment p
             UNION ALL
            SELECT r.booking_id, r.status || r.version, (SELECT e.status || e.version FROM space_event e
                     WHERE e.aggregate_id = r.id ORDER BY e.version DESC LIMIT 1) FROM registration r) t
           WHERE told IS DISTINCT FROM is_now`,
  },
  {
    name: 'space knows which slots are occupied',
    kind: 'lost',
    sql: `SELECT b.id AS culprit, format('%s, in the copy %s', b.status, o.live) AS detail
            FROM booking b LEFT JOIN occupied o ON o.booking_id = b.id
             AND (o.space_id, o.start_at, o.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE o.live IS DISTINCT FROM b.live AND b.end_at > now()`,
  },
  {
    name: 'book knows every space as it is',
    kind: 'lost',
    sql: `SELECT s.id AS culprit, s.name AS detail FROM listed s LEFT JOIN catalogue c USING (id)
           WHERE (c.name, c.version) IS DISTINCT FROM (s.name, s.version)`,
  },
  {
    name: 'the audit log tells only of what happened',
    kind: 'unexpected',
    sql: `SELECT n.subject_id AS culprit, format('%s by %s', n.action, n.user_id) AS detail
            FROM noted_of_booking n LEFT JOIN booking b ON b.id = n.subject_id
           WHERE CASE n.action
                   WHEN 'requestBooking' THEN n.user_id IS DISTINCT FROM b.customer_id
                   WHEN 'cancelBooking' THEN (b.status IN ('CANCELLING', 'CANCELLED')) IS NOT TRUE
                 END
           UNION ALL
          SELECT n.subject_id, n.action FROM noted_of_space n LEFT JOIN listed s ON s.id = n.subject_id
           WHERE n.action = 'listSpace' AND s.id IS NULL`,
  },
];

/** True of what this run's clients were told. */
export const recordInvariants: readonly Invariant[] = [
  {
    name: 'an acknowledged booking is present as it was promised',
    kind: 'lost',
    sql: `SELECT a.booking_id AS culprit, format('%s of %s: %s', a.key, a.customer,
                 CASE WHEN b.id IS NULL THEN 'gone' ELSE 'altered' END) AS detail
            FROM asked a LEFT JOIN booking b ON b.id = a.booking_id
           WHERE a.kind = 'ok' AND (b.customer_id, b.idempotency_key, b.space_id, b.start_at,
                   b.end_at, b.headcount, b.price)
             IS DISTINCT FROM (a.customer, a.key, a.space_id, a.start_at, a.end_at, a.headcount,
                   a.price)`,
  },
  {
    name: 'an acknowledged booking stands unless its customer cancelled it',
    kind: 'lost',
    sql: `SELECT DISTINCT a.booking_id AS culprit, format('was %s, is %s', a.promised, b.status) AS detail
            FROM (SELECT booking_id, promised FROM asked WHERE kind = 'ok'
                  UNION SELECT booking_id, status FROM seen) a
            JOIN booking b ON b.id = a.booking_id
           WHERE NOT EXISTS (
                   SELECT FROM cancel_asked c WHERE c.booking_id = a.booking_id)
             AND CASE WHEN a.promised IN ('PAID', 'REGISTERED') THEN b.status <> 'REGISTERED'
                      WHEN a.promised IN ('REQUESTED', 'PAYMENT_DEFERRED')
                      THEN b.status NOT IN ('REGISTERED', 'DECLINED', 'EXPIRED')
                      ELSE b.status <> a.promised END`,
  },
  {
    name: 'a declined booking is declined',
    kind: 'lost',
    sql: `SELECT a.booking_id AS culprit, coalesce(b.status, 'gone') AS detail
            FROM asked a LEFT JOIN booking b ON b.id = a.booking_id
           WHERE a.type = 'PaymentDeclined' AND b.status IS DISTINCT FROM 'DECLINED'`,
  },
  {
    name: 'an acknowledged cancellation ends cancelled, with the promised refund',
    kind: 'lost',
    sql: `SELECT c.booking_id AS culprit, format('promised %s, is %s with %s', c.refund, b.status,
                 b.refund) AS detail
            FROM cancel_asked c LEFT JOIN booking b ON b.id = c.booking_id
           WHERE c.kind = 'ok' AND (b.status, b.refund) IS DISTINCT FROM ('CANCELLED', c.refund)`,
  },
  {
    name: 'who owns a booking is not told that there is none',
    kind: 'lost',
    sql: `SELECT booking_id AS culprit, type AS detail FROM cancel_asked
           WHERE kind = 'refused' AND type <> 'BookingNotCancellable'`,
  },
  {
    name: 'what cannot be cancelled is over',
    kind: 'lost',
    sql: `SELECT c.booking_id AS culprit, format('said to be %s, is %s', c.status, b.status) AS detail
            FROM cancel_asked c LEFT JOIN booking b ON b.id = c.booking_id
           WHERE c.type = 'BookingNotCancellable' AND b.status IS DISTINCT FROM c.status`,
  },
  {
    name: 'one key makes one booking',
    kind: 'doubled',
    sql: `SELECT min(booking_id::text)::uuid AS culprit, format('%s of %s: %s bookings', key, customer,
                 count(DISTINCT booking_id)) AS detail
            FROM asked WHERE booking_id IS NOT NULL
           GROUP BY customer, key HAVING count(DISTINCT booking_id) > 1`,
  },
  {
    name: 'a slot is promised to one customer',
    kind: 'doubled',
    sql: `WITH promised AS (
            SELECT DISTINCT booking_id, space_id, start_at, end_at FROM asked a
             WHERE promised IN ('PAID', 'REGISTERED') AND NOT EXISTS (
                     SELECT FROM cancel_asked c WHERE c.booking_id = a.booking_id))
          SELECT a.booking_id AS culprit, 'promised as well: ' || b.booking_id AS detail
            FROM promised a JOIN promised b
              ON a.space_id = b.space_id AND a.booking_id < b.booking_id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)`,
  },
  {
    name: 'a booking was asked for',
    kind: 'unexpected',
    sql: `SELECT b.id AS culprit, format('%s of %s', b.idempotency_key, b.customer_id) AS detail
            FROM booking b
           WHERE b.space_id IN (SELECT id FROM listing) AND NOT EXISTS (
             SELECT FROM asked a WHERE (a.customer, a.key, a.space_id, a.start_at, a.end_at,
                      a.headcount,
                      encode(sha256(convert_to(b.id || ':' || a.payment_method, 'UTF8')), 'hex'))
               = (b.customer_id, b.idempotency_key, b.space_id, b.start_at, b.end_at,
                      b.headcount, b.payment_method_digest))`,
  },
  {
    name: 'a refused request leaves nothing behind',
    kind: 'unexpected',
    sql: `SELECT b.id AS culprit, format('%s of %s was refused', a.key, a.customer) AS detail
            FROM (SELECT customer, key FROM asked GROUP BY customer, key
                  HAVING bool_and(kind = 'refused' AND booking_id IS NULL)) a
            JOIN booking b ON (b.customer_id, b.idempotency_key) = (a.customer, a.key)`,
  },
  {
    name: 'an acknowledged space is listed',
    kind: 'lost',
    sql: `SELECT l.id AS culprit, l.name AS detail FROM listing l LEFT JOIN listed s USING (id)
           WHERE s.name IS DISTINCT FROM l.name`,
  },
  {
    name: 'what was acknowledged is in the audit log, once',
    kind: 'lost',
    sql: `SELECT id AS culprit, format('%s entries of %s', times, action) AS detail FROM (
            SELECT b.id, 'requestBooking' AS action, (SELECT count(*) FROM noted_of_booking n
                     WHERE (n.subject_id, n.action) = (b.id, 'requestBooking')) AS times
              FROM booking b WHERE b.id IN (SELECT booking_id FROM asked WHERE kind = 'ok')
             UNION ALL
            SELECT b.id, 'cancelBooking', (SELECT count(*) FROM noted_of_booking n
                     WHERE (n.subject_id, n.action) = (b.id, 'cancelBooking'))
              FROM booking b WHERE b.id IN (SELECT booking_id FROM cancel_asked WHERE kind = 'ok')
             UNION ALL
            SELECT l.id, 'listSpace', (SELECT count(*) FROM noted_of_space n
                     WHERE (n.subject_id, n.action) = (l.id, 'listSpace'))
              FROM listing l) t
           WHERE times <> 1`,
  },
];
