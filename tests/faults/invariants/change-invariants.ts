import type { Invariant } from './invariant.ts';

const TERMS = ['start_at', 'end_at', 'headcount', 'price'];
const columns = (prefix: string) => TERMS.map((name) => `${prefix}${name}`).join(', ');

/**
 * How much less than owed a change `c` may give back: goodwill refunds, with the refund of a cancellation, may
 * have left less of the price that stands after it.
 */
const allowedShortfall = (price: string) =>
  `greatest(0, t.goodwill + coalesce(f.amount, 0) - ${price})`;

/** What holds of the changes of bookings, in book, payment and at the provider. */
export const changeInvariants: readonly Invariant[] = [
  {
    // The last terms are those of the booking itself.
    name: 'a change begins where the one before ended, and the booking has the terms of the last one',
    kind: 'lost',
    sql: `SELECT booking_id AS subject, format('%s after the %s change %s', what, state, id) AS detail FROM (
            SELECT booking_id, lag(id) OVER history AS id, lag(state) OVER history AS state, what,
                   ${TERMS.map(
                     (name) => `from_${name},
                   CASE lag(state) OVER history WHEN 'APPLIED' THEN lag(to_${name}) OVER history
                        ELSE lag(from_${name}) OVER history END AS last_${name}`,
                   ).join(', ')}
              FROM (
                SELECT booking_id, id, state, 'the change ' || id AS what, requested_at,
                       ${columns('from_')}, ${columns('to_')}
                  FROM booking_change
                 UNION ALL
                SELECT id, NULL, NULL, 'the booking', 'infinity', ${columns('')},
                       NULL::timestamptz, NULL::timestamptz, NULL::int, NULL::int
                  FROM booking) t
            WINDOW history AS (PARTITION BY booking_id ORDER BY requested_at, id)) t
           WHERE id IS NOT NULL AND (${columns('from_')}) IS DISTINCT FROM (${columns('last_')})`,
  },
  {
    name: 'the difference of a change is what its price is more than the one before',
    kind: 'unexpected',
    sql: `SELECT booking_id AS subject, format('%s, from %s to %s', difference, from_price, to_price)
                 AS detail
            FROM booking_change WHERE difference <> to_price - from_price`,
  },
  {
    name: 'a change is published once when it is applied, and once when a charge of it may have to go back',
    kind: 'lost',
    sql: `SELECT booking_id AS subject, format('%s change %s with %s', state, id, types) AS detail FROM (
            SELECT c.*, ARRAY(SELECT e.type FROM book_event e WHERE e.change_id = c.id) AS types
              FROM booking_change c) t
           WHERE types IS DISTINCT FROM CASE
                   WHEN state = 'APPLIED' THEN '{BookingRescheduled}'::text[]
                   WHEN state = 'EXPIRED' AND difference <> 0 THEN '{BookingChangeReleased}'
                   ELSE '{}' END`,
  },
  {
    name: 'an applied change that costs more is charged once and not refunded',
    kind: 'lost',
    sql: `SELECT c.booking_id AS subject, format('%s of %s, charge %s, the provider charged %s, refund of %s',
                 c.id, c.difference, p.charge_status, s.amount, p.refund_amount) AS detail
            FROM booking_change c LEFT JOIN payment_change p USING (id)
            LEFT JOIN single_charge s ON s.key = c.id
           WHERE c.state = 'APPLIED' AND c.difference > 0
             AND (p.charge_status = 'APPROVED' AND p.difference = c.difference
                  AND s.amount = c.difference AND p.refund_amount IS NULL) IS NOT TRUE`,
  },
  {
    name: 'a charge of a change that is not applied is refunded in full',
    kind: 'lost',
    sql: `SELECT c.booking_id AS subject, format('%s is %s: charge %s of %s, refund of %s', c.id, c.state,
                 p.charge_status, coalesce(s.amount, 0), p.refund_amount) AS detail
            FROM booking_change c LEFT JOIN payment_change p USING (id)
            LEFT JOIN single_charge s ON s.key = c.id
            LEFT JOIN payment t ON t.booking_id = c.booking_id
            LEFT JOIN refund f ON f.booking_id = c.booking_id
           WHERE c.state <> 'APPLIED'
             AND (CASE WHEN s.key IS NULL
                       THEN coalesce(p.charge_status IN ('DECLINED', 'VOIDED'), TRUE)
                            AND p.refund_amount IS NULL
                       ELSE p.charge_status = 'APPROVED' AND p.settled_at IS NOT NULL
                            AND p.refund_amount <= s.amount
                            AND s.amount - p.refund_amount <= ${allowedShortfall('c.from_price')} END)
                 IS NOT TRUE`,
  },
  {
    name: 'an applied change that costs less gives back the difference',
    kind: 'lost',
    sql: `SELECT c.booking_id AS subject, format('%s of %s: charge %s, refund of %s', c.id, c.difference,
                 p.charge_status, p.refund_amount) AS detail
            FROM booking_change c LEFT JOIN payment_change p USING (id)
           WHERE c.state = 'APPLIED' AND c.difference < 0
             AND (p.charge_status = 'APPROVED' AND p.difference = c.difference AND p.settled_at IS NOT NULL
                  AND p.refund_amount = -c.difference) IS NOT TRUE`,
  },
  {
    name: 'the refunds of changes in a payment are the sum of those that are completed',
    kind: 'duplicated',
    sql: `SELECT p.booking_id AS subject, format('%s, refunds of changes of %s', p.refunded_for_changes,
                 c.amount) AS detail
            FROM payment p LEFT JOIN (
              SELECT booking_id, sum(refund_amount)::int AS amount FROM payment_change
               WHERE settled_at IS NOT NULL GROUP BY 1) c ON c.booking_id = p.booking_id
           WHERE p.refunded_for_changes <> coalesce(c.amount, 0)`,
  },
  {
    name: 'the newest event of a booking has its slot, headcount and price',
    kind: 'lost',
    sql: `SELECT b.id AS subject, format('%s of version %s', e.type, e.version) AS detail
            FROM booking b JOIN LATERAL (
              SELECT * FROM book_event e WHERE e.aggregate_id = b.id ORDER BY version DESC LIMIT 1) e
              ON TRUE
           WHERE (b.start_at, b.end_at, b.price) IS DISTINCT FROM (e.start_at, e.end_at, e.price)
              OR b.headcount <> e.headcount`,
  },
];
