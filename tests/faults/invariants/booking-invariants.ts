import type { Invariant } from './invariant.ts';

/** What holds of bookings, registrations and the copies that contexts keep of each other's data. */
export const bookingInvariants: readonly Invariant[] = [
  {
    name: 'no two live bookings of a space overlap',
    kind: 'duplicated',
    sql: `SELECT a.id AS subject, 'overlaps ' || b.id AS detail
            FROM booking a JOIN booking b ON a.space_id = b.space_id AND a.id < b.id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)
           WHERE a.live AND b.live`,
  },
  {
    name: 'no two owners hold a space at the same time',
    kind: 'duplicated',
    sql: `SELECT a.owner_id AS subject, 'overlaps ' || b.owner_id AS detail
            FROM slot_hold a JOIN slot_hold b ON a.space_id = b.space_id AND a.owner_id < b.owner_id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)
           WHERE a.live AND b.live`,
  },
  {
    name: 'a booking holds its slot exactly while it is live',
    kind: 'lost',
    sql: `SELECT coalesce(b.id, h.booking_id) AS subject,
                 format('%s, with a live hold: %s', coalesce(b.status, 'no booking'),
                        h.booking_id IS NOT NULL) AS detail
            FROM (SELECT * FROM booking WHERE live) b
            FULL JOIN (SELECT * FROM slot_hold WHERE live AND booking_id IS NOT NULL) h
              ON h.booking_id = b.id
             AND (h.space_id, h.start_at, h.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE b.id IS NULL OR h.booking_id IS NULL
           UNION ALL
          SELECT booking_id, count(*) || ' live holds' FROM slot_hold
           WHERE live AND booking_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1`,
  },
  {
    name: 'a block holds its time exactly until it is removed',
    kind: 'lost',
    sql: `SELECT coalesce(b.id, h.block_id) AS subject,
                 format('removed: %s, with a live hold: %s', b.removed, h.block_id IS NOT NULL) AS detail
            FROM (SELECT * FROM block WHERE NOT removed) b
            FULL JOIN (SELECT * FROM slot_hold WHERE live AND block_id IS NOT NULL) h
              ON h.block_id = b.id
             AND (h.space_id, h.start_at, h.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE b.id IS NULL OR h.block_id IS NULL`,
  },
  {
    name: 'a booking that awaited its host is charged only after the approval',
    kind: 'unexpected',
    sql: `SELECT b.id AS subject, format('%s, decision %s', b.status, b.decision) AS detail
            FROM booking b JOIN provider_charge c ON c.booking_id = b.id
           WHERE b.decision IS DISTINCT FROM 'APPROVED' AND EXISTS (
             SELECT FROM book_event e WHERE e.aggregate_id = b.id AND e.status = 'AWAITING_APPROVAL')`,
  },
  {
    name: 'no two active registrations of a space overlap',
    kind: 'duplicated',
    sql: `SELECT a.booking_id AS subject, 'overlaps ' || b.booking_id AS detail
            FROM registration a JOIN registration b ON a.space_id = b.space_id AND a.id < b.id
             AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)
           WHERE a.status = 'REGISTERED' AND b.status = 'REGISTERED'`,
  },
  {
    name: 'a booking has at most one payment and one registration',
    kind: 'duplicated',
    sql: `SELECT booking_id AS subject, count(*) || ' payments' AS detail
            FROM payment GROUP BY booking_id HAVING count(*) > 1
           UNION ALL
          SELECT booking_id, count(*) || ' registrations'
            FROM registration GROUP BY booking_id HAVING count(*) > 1`,
  },
  {
    name: 'a REGISTERED booking is paid in full and has an active registration',
    kind: 'lost',
    sql: `SELECT b.id AS subject, format('price %s; payment %s of %s, refunded %s, goodwill %s, for changes %s, kept %s; registration %s',
                 b.price, p.status, p.amount, p.refunded, p.goodwill, p.refunded_for_changes, k.kept,
                 r.status) AS detail
            FROM booking b LEFT JOIN payment p ON p.booking_id = b.id
            LEFT JOIN change_balance k ON k.booking_id = b.id
            LEFT JOIN registration r ON r.booking_id = b.id AND r.payment_id = p.id
             AND (r.space_id, r.start_at, r.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE b.status = 'REGISTERED'
             AND (p.status = CASE p.refunded WHEN 0 THEN 'APPROVED' WHEN p.amount THEN 'REFUNDED'
                                            ELSE 'PARTIALLY_REFUNDED' END
                  AND p.amount - p.refunded_for_changes = b.price + k.kept
                  AND p.refunded = p.goodwill + p.refunded_for_changes
                  AND r.status = 'REGISTERED') IS NOT TRUE`,
  },
  {
    name: 'an active registration belongs to a REGISTERED booking',
    kind: 'unexpected',
    sql: `SELECT r.booking_id AS subject, coalesce(b.status, 'no booking') AS detail
            FROM registration r LEFT JOIN booking b ON b.id = r.booking_id
           WHERE r.status = 'REGISTERED' AND b.status IS DISTINCT FROM 'REGISTERED'`,
  },
  {
    name: 'every row and event belongs to an existing booking',
    kind: 'unexpected',
    sql: `SELECT t.booking_id AS subject, t.what AS detail FROM (
            SELECT booking_id, 'charge' AS what FROM provider_charge UNION ALL
            SELECT booking_id, 'refund' FROM provider_refund UNION ALL
            SELECT booking_id, 'change' FROM booking_change UNION ALL
            SELECT booking_id, 'payment' FROM payment UNION ALL
            SELECT booking_id, 'registration' FROM registration UNION ALL
            SELECT booking_id, 'occupied slot' FROM occupied_slot UNION ALL
            SELECT booking_id, context || ' event' FROM event WHERE booking_id IS NOT NULL) t
            LEFT JOIN booking b ON b.id = t.booking_id WHERE b.id IS NULL
           UNION ALL
          SELECT t.booking_id, format('%s of the change %s', t.what, t.change_id) FROM (
            SELECT booking_id, key AS change_id, 'charge' AS what FROM single_charge
             WHERE key <> booking_id UNION ALL
            SELECT booking_id, id, 'payment' FROM payment_change UNION ALL
            SELECT booking_id, change_id, 'hold' FROM slot_hold WHERE change_id IS NOT NULL UNION ALL
            SELECT booking_id, change_id, type FROM book_event WHERE change_id IS NOT NULL) t
            LEFT JOIN booking_change c ON (c.id, c.booking_id) = (t.change_id, t.booking_id)
           WHERE c.id IS NULL`,
  },
  {
    name: 'every booking, change, payment and refund is finished',
    kind: 'lost',
    sql: `SELECT id AS subject, 'booking is ' || status AS detail FROM booking
           WHERE status IN ('REQUESTED', 'PAYMENT_DEFERRED', 'PAID', 'CANCELLING')
           UNION ALL
          SELECT id, 'its change is not finished' FROM booking WHERE change_id IS NOT NULL
           UNION ALL
          SELECT booking_id, 'change is ' || state FROM booking_change WHERE state = 'PENDING'
           UNION ALL
          SELECT booking_id, format('charge of a change is %s, its refund of %s is not completed',
                 charge_status, refund_amount) FROM payment_change
           WHERE charge_status = 'PENDING' OR next_attempt_at IS NOT NULL
              OR (refund_amount IS NOT NULL AND settled_at IS NULL)
           UNION ALL
          SELECT booking_id, 'payment is ' || status FROM payment WHERE status = 'PENDING'
           UNION ALL
          SELECT booking_id, 'refund is not completed' FROM refund WHERE settled_at IS NULL
           UNION ALL
          SELECT booking_id, 'goodwill refund is not ended' FROM goodwill_refund
           WHERE settled_at IS NULL AND failed_at IS NULL`,
  },
  {
    name: 'a payment method is stored only while it may be charged',
    kind: 'unexpected',
    sql: `SELECT id AS subject, 'booking is ' || status AS detail FROM booking
           WHERE status NOT IN ('AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED')
             AND payment_method <> ''`,
  },
  {
    name: "space's occupied slots equal book's live bookings",
    kind: 'lost',
    sql: `SELECT b.id AS subject, format('%s, live in the copy: %s', b.status, o.live) AS detail
            FROM booking b LEFT JOIN occupied_slot o ON o.booking_id = b.id
             AND (o.space_id, o.start_at, o.end_at) = (b.space_id, b.start_at, b.end_at)
           WHERE o.live IS DISTINCT FROM b.live AND b.end_at > now()`,
  },
  {
    name: "book's catalogue equals the listed spaces",
    kind: 'lost',
    sql: `SELECT s.id AS subject, s.name AS detail
            FROM space s LEFT JOIN catalogue_space c USING (id)
           WHERE (c.name, c.version) IS DISTINCT FROM (s.name, s.version)`,
  },
  {
    name: 'every audit entry belongs to a change that happened',
    kind: 'unexpected',
    sql: `SELECT e.subject_id AS subject, format('%s by %s', e.action, e.user_id) AS detail
            FROM book_audit_entry e LEFT JOIN booking b ON b.id = e.subject_id
           WHERE CASE e.action
                   WHEN 'requestBooking' THEN e.user_id IS DISTINCT FROM b.customer_id
                   WHEN 'cancelBooking' THEN (b.status IN ('CANCELLING', 'CANCELLED')) IS NOT TRUE
                   WHEN 'approveBooking' THEN b.decision IS DISTINCT FROM 'APPROVED'
                   WHEN 'rejectBooking' THEN b.status IS DISTINCT FROM 'REJECTED'
                   WHEN 'rescheduleBooking' THEN e.user_id IS DISTINCT FROM b.customer_id
                     OR NOT EXISTS (SELECT FROM booking_change c
                                     WHERE (c.id, c.booking_id) = (e.change_id, b.id))
                 END
           UNION ALL
          SELECT e.subject_id, e.action
            FROM space_audit_entry e LEFT JOIN space s ON s.id = e.subject_id
           WHERE e.action = 'listSpace' AND s.id IS NULL`,
  },
];
