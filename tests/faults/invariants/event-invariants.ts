import type { Invariant } from './invariant.ts';

/** What holds of events, their acknowledgements and the inboxes of their consumers. */
export const eventInvariants: readonly Invariant[] = [
  {
    name: 'every event is acknowledged',
    kind: 'lost',
    sql: `SELECT id AS subject, format('%s of %s awaits %s', type, context, awaiting) AS detail
            FROM event WHERE awaiting <> '{}'`,
  },
  {
    name: 'no event is parked',
    kind: 'unexpected',
    sql: `SELECT NULL::uuid AS subject, context || ': ' || event AS detail FROM parked_event`,
  },
  {
    name: 'an acknowledged event is in the inbox of its consumer',
    kind: 'lost',
    sql: `SELECT id AS subject, format('%s is not in the inbox of %s', type, consumer) AS detail FROM (
            SELECT e.id, e.type, 'payment' AS consumer FROM book_event e
             WHERE e.type IN ('BookingRescheduled', 'BookingCancelled', 'BookingReleased',
                     'BookingChangeReleased') AND NOT 'payment' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM payment_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'space' FROM book_event e
             WHERE e.type NOT IN ('BookingStatusChanged', 'BookingChangeReleased')
               AND NOT 'space' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM space_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'space' FROM payment_event e
             WHERE e.type = 'PaymentApproved' AND NOT 'space' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM space_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'book' FROM payment_event e
             WHERE e.type IN ('PaymentCancelled', 'PaymentRefunded') AND NOT 'book' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM book_inbox i WHERE i.event_id = e.id)
             UNION ALL
            SELECT e.id, e.type, 'book' FROM space_event e
             WHERE NOT 'book' = ANY(awaiting)
               AND NOT EXISTS (SELECT FROM book_inbox i WHERE i.event_id = e.id)) t`,
  },
  {
    name: 'no two events of an aggregate have the same version',
    kind: 'duplicated',
    sql: `SELECT aggregate_id AS subject, format('%s events of version %s', count(*), version) AS detail
            FROM event GROUP BY context, aggregate_id, version HAVING count(*) > 1`,
  },
  {
    name: 'the newest event of an aggregate has its current status',
    kind: 'lost',
    sql: `SELECT subject, format('status %s, newest event %s', stored, published) AS detail FROM (
            SELECT b.id AS subject, b.status AS stored, (SELECT e.status FROM book_event e
                     WHERE e.aggregate_id = b.id ORDER BY e.version DESC LIMIT 1) AS published
              FROM booking b UNION ALL
            SELECT p.booking_id, p.status || p.version, (SELECT e.status || e.version FROM payment_event e
                     WHERE e.aggregate_id = p.id ORDER BY e.version DESC LIMIT 1) FROM payment p
             UNION ALL
            SELECT r.booking_id, r.status || r.version, (SELECT e.status || e.version FROM space_event e
                     WHERE e.aggregate_id = r.id ORDER BY e.version DESC LIMIT 1) FROM registration r) t
           WHERE published IS DISTINCT FROM stored`,
  },
];
