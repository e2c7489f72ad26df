import type { Invariant } from './invariant.ts';

/** What a cancellation refunds: as quoted, as far as goodwill refunds and refunds of changes leave it. */
const EXPECTED = 'least(b.refund, p.amount - p.goodwill - p.refunded_for_changes)';

/** What holds of payments, refunds and the records of the payment provider. */
export const paymentInvariants: readonly Invariant[] = [
  {
    name: 'a charged payment without the refund of a cancellation belongs to a REGISTERED booking',
    kind: 'lost',
    sql: `SELECT p.booking_id AS subject, coalesce(b.status, 'no booking') AS detail
            FROM payment p LEFT JOIN booking b ON b.id = p.booking_id
            LEFT JOIN refund f ON f.booking_id = p.booking_id
           WHERE p.status NOT IN ('PENDING', 'DECLINED', 'VOIDED') AND f.booking_id IS NULL
             AND b.status IS DISTINCT FROM 'REGISTERED'`,
  },
  {
    name: 'the charge of a released booking is refunded once, with the quoted amount',
    kind: 'lost',
    sql: `SELECT b.id AS subject, format('%s, quoted %s, refunded by the provider %s, refund %s, goodwill %s, for changes %s',
                 b.status, b.refund, coalesce(r.amount, 0), f.amount, p.goodwill, p.refunded_for_changes)
                 AS detail
            FROM booking b JOIN provider_charge c ON c.booking_id = b.id
            LEFT JOIN provider_refund r ON r.booking_id = b.id
            LEFT JOIN refund f ON f.booking_id = b.id
            LEFT JOIN payment p ON p.booking_id = b.id
            LEFT JOIN change_balance k ON k.booking_id = b.id
           WHERE b.status IN ('CANCELLED', 'DECLINED', 'EXPIRED')
             AND (coalesce(r.amount, 0) - p.goodwill - p.refunded_for_changes + k.outside
                    = CASE WHEN f.settled_outside THEN 0 ELSE ${EXPECTED} END
                  AND f.amount = ${EXPECTED}
                  AND p.refunded - p.goodwill - p.refunded_for_changes = ${EXPECTED}) IS NOT TRUE`,
  },
  {
    name: 'no refund exceeds its charges or, goodwill and changes apart, belongs to a live booking',
    kind: 'duplicated',
    sql: `SELECT r.booking_id AS subject, format('%s of %s', r.amount, coalesce(b.status, 'no booking'))
                 AS detail
            FROM provider_refund r LEFT JOIN booking b ON b.id = r.booking_id
            LEFT JOIN provider_charge c ON c.booking_id = r.booking_id
            LEFT JOIN payment p ON p.booking_id = r.booking_id
           WHERE c.amount IS NULL OR r.amount > c.amount OR b.id IS NULL
              OR (b.live AND r.amount > coalesce(p.goodwill + p.refunded_for_changes, 0))
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
            LEFT JOIN change_balance k ON k.booking_id = p.booking_id
           WHERE p.refunded <> coalesce(r.amount, 0) + k.outside
                 + CASE WHEN f.settled_outside THEN f.amount ELSE 0 END
              OR CASE WHEN p.status IN ('APPROVED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'REFUND_FAILED')
                      THEN c.amount IS DISTINCT FROM p.amount ELSE c.amount IS NOT NULL END`,
  },
  {
    name: 'the goodwill of a payment is the sum of its completed goodwill refunds',
    kind: 'duplicated',
    sql: `SELECT p.booking_id AS subject, format('%s, goodwill refunds of %s', p.goodwill, g.amount)
                 AS detail
            FROM payment p LEFT JOIN (
              SELECT booking_id, sum(amount)::int AS amount FROM goodwill_refund
               WHERE settled_at IS NOT NULL GROUP BY 1) g ON g.booking_id = p.booking_id
           WHERE p.goodwill <> coalesce(g.amount, 0)`,
  },
  {
    name: 'charges minus refunds equal the prices of REGISTERED bookings plus cancellation fees, less goodwill',
    kind: 'lost',
    sql: `SELECT NULL::uuid AS subject, format('actual %s, expected %s', actual, expected) AS detail
            FROM (
            SELECT (SELECT coalesce(sum(amount), 0) FROM provider_charge)
                   - (SELECT coalesce(sum(amount), 0) FROM provider_refund)
                   - (SELECT coalesce(sum(amount), 0) FROM refund WHERE settled_outside)
                   - (SELECT coalesce(sum(outside), 0) FROM change_balance) AS actual,
                   (SELECT coalesce(sum(price), 0) FROM booking WHERE status = 'REGISTERED')
                   + (SELECT coalesce(sum(b.price - ${EXPECTED}), 0) FROM booking b
                        JOIN provider_charge c ON c.booking_id = b.id
                        LEFT JOIN payment p ON p.booking_id = b.id
                       WHERE b.status = 'CANCELLED')
                   + (SELECT coalesce(sum(kept), 0) FROM change_balance)
                   - (SELECT coalesce(sum(goodwill), 0) FROM payment) AS expected) t
           WHERE actual <> expected`,
  },
];
