import type { Invariant } from './invariant.ts';

/** What holds of payments, refunds and the records of the payment provider. */
export const paymentInvariants: readonly Invariant[] = [
  {
    name: 'an approved payment without a refund belongs to a REGISTERED booking',
    kind: 'lost',
    sql: `SELECT p.booking_id AS subject, coalesce(b.status, 'no booking') AS detail
            FROM payment p LEFT JOIN booking b ON b.id = p.booking_id
            LEFT JOIN refund f ON f.booking_id = p.booking_id
           WHERE p.status = 'APPROVED' AND f.booking_id IS NULL
             AND b.status IS DISTINCT FROM 'REGISTERED'`,
  },
  {
    name: 'the charge of a released booking is refunded once, with the quoted amount',
    kind: 'lost',
    sql: `SELECT b.id AS subject, format('%s, quoted %s, refunded by the provider %s, refund %s',
                 b.status, b.refund, coalesce(r.amount, 0), f.amount) AS detail
            FROM booking b JOIN provider_charge c ON c.booking_id = b.id
            LEFT JOIN provider_refund r ON r.booking_id = b.id
            LEFT JOIN refund f ON f.booking_id = b.id
            LEFT JOIN payment p ON p.booking_id = b.id
           WHERE b.status IN ('CANCELLED', 'DECLINED', 'EXPIRED')
             AND (coalesce(r.amount, 0) = CASE WHEN f.settled_outside THEN 0 ELSE b.refund END
                  AND f.amount = b.refund AND p.refunded = b.refund) IS NOT TRUE`,
  },
  {
    name: 'no refund exceeds its charge or belongs to a live booking',
    kind: 'duplicated',
    sql: `SELECT r.booking_id AS subject, format('%s of %s', r.amount, coalesce(b.status, 'no booking'))
                 AS detail
            FROM provider_refund r LEFT JOIN booking b ON b.id = r.booking_id
            LEFT JOIN provider_charge c ON c.booking_id = r.booking_id
           WHERE c.amount IS NULL OR r.amount > c.amount OR b.id IS NULL OR b.live
           UNION ALL
          SELECT b.id, 'a refund is owed' FROM booking b JOIN refund f ON f.booking_id = b.id
           WHERE b.live`,
  },
  {
    name: 'payments agree with the records of the provider',
    kind: 'lost',
    sql: `SELECT p.booking_id AS subject,
                 format('%s of %s, refunded %s; the provider charged %s, refunded %s',
                 p.status, p.amount, p.refunded, c.amount, r.amount) AS detail
            FROM payment p LEFT JOIN provider_charge c ON c.booking_id = p.booking_id
            LEFT JOIN provider_refund r ON r.booking_id = p.booking_id
            LEFT JOIN refund f ON f.booking_id = p.booking_id
           WHERE p.refunded <> CASE WHEN f.settled_outside THEN f.amount ELSE coalesce(r.amount, 0) END
              OR (f.settled_outside AND r.amount IS NOT NULL)
              OR CASE WHEN p.status IN ('APPROVED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'REFUND_FAILED')
                      THEN c.amount IS DISTINCT FROM p.amount ELSE c.amount IS NOT NULL END`,
  },
  {
    name: 'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees',
    kind: 'lost',
    sql: `SELECT NULL::uuid AS subject, format('actual %s, expected %s', actual, expected) AS detail
            FROM (
            SELECT (SELECT coalesce(sum(amount), 0) FROM provider_charge)
                   - (SELECT coalesce(sum(amount), 0) FROM provider_refund)
                   - (SELECT coalesce(sum(amount), 0) FROM refund WHERE settled_outside) AS actual,
                   (SELECT coalesce(sum(price), 0) FROM booking WHERE status = 'REGISTERED')
                   + (SELECT coalesce(sum(b.price - b.refund), 0) FROM booking b
                        JOIN provider_charge c ON c.booking_id = b.id
                       WHERE b.status = 'CANCELLED') AS expected) t
           WHERE actual <> expected`,
  },
];
