import { namedStatement } from '#platform/database/named-statement.ts';
import { insertInbox } from '#platform/messaging/inbox.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';
import type { BookedTerms, BookingChange } from '../domain/booking-change.ts';

/** Terms as the database stores them: JSON has no dates. */
export type StoredTerms = Omit<BookedTerms, 'slot'> & { slot: { startAt: string; endAt: string } };

export type ChangeRow = Omit<BookingChange, 'from' | 'to'> & {
  fromTerms: StoredTerms;
  toTerms: StoredTerms;
};

const COLUMNS = `id, booking_id AS "bookingId", idempotency_key AS "idempotencyKey", state,
  from_terms AS "fromTerms", to_terms AS "toTerms", difference, requested_at AS "requestedAt",
  ended_at AS "endedAt", expires_at AS "expiresAt"`;

// The hold first, as for a new booking: where it is refused, nothing is written. Counting the unpaid holds locks
// the customer, before any row lock. No change outlasts the start of either slot, and every instant is the
// database's.
export const insertChange = namedStatement<
  { unpaid: number; isCurrent: boolean; requestedAt: Date | null; expiresAt: Date },
  | ('id' | 'bookingId' | 'previousVersion' | 'version' | 'spaceId' | 'holdStartAt' | 'holdEndAt')
  | ('idempotencyKey' | 'fromTerms' | 'toTerms' | 'difference' | 'holdMs' | 'firstRetryMs')
  | ('expiresBefore' | 'auditEntry' | 'customerId' | 'maxUnpaidHolds')
>(
  'change-insert',
  `WITH customer AS MATERIALIZED (SELECT booking_unpaid_holds(:customerId) AS unpaid),
   current AS MATERIALIZED (
     SELECT id FROM booking
      WHERE (SELECT unpaid FROM customer) < :maxUnpaidHolds::int
        AND id = :bookingId::uuid AND version = :previousVersion::int AND status = 'REGISTERED'
        AND change_id IS NULL
        FOR UPDATE),
   held AS (
     INSERT INTO slot_hold (space_id, owner_id, booking_id, change_id, start_at, end_at, live)
     SELECT :spaceId::uuid, id, id, :id::uuid, :holdStartAt::timestamptz, :holdEndAt::timestamptz, TRUE
       FROM current
     ON CONFLICT DO NOTHING
  RETURNING booking_id),
   inserted AS (
     INSERT INTO booking_change (id, booking_id, idempotency_key, state, from_terms, to_terms, difference,
            requested_at, expires_at, attempts, next_attempt_at)
     SELECT :id::uuid, booking_id, :idempotencyKey, 'PENDING', :fromTerms::jsonb, :toTerms::jsonb,
            :difference::int, now(), least(now() + :holdMs::bigint * interval '1 ms', :expiresBefore::timestamptz),
            1, now() + :firstRetryMs::bigint * interval '1 ms'
       FROM held
  RETURNING requested_at, expires_at),
   changed AS (
     UPDATE booking SET version = :version::int, change_id = :id::uuid, change_version = NULL,
            deadline_at = (SELECT expires_at FROM inserted) + interval '5 minutes'
      WHERE id IN (SELECT booking_id FROM held)),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM inserted)')})
   SELECT unpaid, EXISTS (SELECT FROM current) AS "isCurrent", requested_at AS "requestedAt",
          expires_at AS "expiresAt"
     FROM customer LEFT JOIN inserted ON TRUE`,
);

// The hold of the slot before stays live until the registration has moved.
export const applyChange = namedStatement<
  { isApplied: boolean },
  | ('changeId' | 'bookingId' | 'previousVersion' | 'version' | 'startAt' | 'endAt' | 'headcount')
  | ('addOns' | 'priceAmount' | 'priceLines' | 'vatAmount' | 'refundTiers' | 'bufferBeforeMinutes')
  | ('bufferAfterMinutes' | 'events')
>(
  'change-apply',
  `WITH changed AS (
     UPDATE booking
        SET version = :version::int, change_version = :version::int, start_at = :startAt::timestamptz,
            end_at = :endAt::timestamptz, headcount = :headcount::int, add_ons = :addOns::jsonb,
            price_amount = :priceAmount::int, price_lines = :priceLines::jsonb, vat_amount = :vatAmount::int,
            refund_tiers = :refundTiers::jsonb, deadline_at = now() + interval '10 minutes',
            buffer_before_minutes = :bufferBeforeMinutes::int,
            buffer_after_minutes = :bufferAfterMinutes::int
      WHERE id = :bookingId::uuid AND version = :previousVersion::int AND change_id = :changeId::uuid
  RETURNING id),
   applied AS (
     UPDATE booking_change SET state = 'APPLIED', ended_at = now(), next_attempt_at = NULL
      WHERE id = :changeId::uuid AND EXISTS (SELECT FROM changed)),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS "isApplied"`,
);

/** SQL, for the statement that saves a booking, that ends a change which is not applied. */
export const ENDING_CHANGE = `
   , ended AS (
     UPDATE booking_change SET state = :changeState, ended_at = now(), next_attempt_at = NULL
      WHERE id = :endedChangeId::uuid AND state = 'PENDING' AND EXISTS (SELECT FROM changed)
  RETURNING id),
   freed AS (
     UPDATE slot_hold SET live = FALSE WHERE change_id IN (SELECT id FROM ended) AND live),
   released AS (${insertOutbox(':releaseEvents', 'EXISTS (SELECT FROM ended)')})`;

// Every other hold of the booking is that of a slot before the change.
export const finishChange = namedStatement<
  { isFinished: boolean },
  'changeId' | 'bookingId' | 'previousVersion' | 'version' | 'eventId'
>(
  'change-finish',
  `WITH changed AS (
     UPDATE booking SET version = :version::int, change_id = NULL, change_version = NULL, deadline_at = NULL
      WHERE id = :bookingId::uuid AND version = :previousVersion::int AND change_id = :changeId::uuid
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = :eventId::uuid)
  RETURNING id),
   freed AS (
     UPDATE slot_hold SET live = FALSE
      WHERE booking_id IN (SELECT id FROM changed) AND live AND change_id IS DISTINCT FROM :changeId::uuid),
   ${insertInbox(':eventId', 'EXISTS (SELECT FROM changed)', '')}
   SELECT EXISTS (SELECT FROM changed) AS "isFinished"`,
);

export const findChange = namedStatement<ChangeRow, 'id'>(
  'change-find',
  `SELECT ${COLUMNS} FROM booking_change WHERE id = :id::uuid`,
);

export const findChangeByKey = namedStatement<ChangeRow, 'bookingId' | 'idempotencyKey'>(
  'change-by-key',
  `SELECT ${COLUMNS} FROM booking_change
    WHERE booking_id = :bookingId::uuid AND idempotency_key = :idempotencyKey`,
);

export const listChanges = namedStatement<ChangeRow, 'bookingIds'>(
  'change-list',
  `SELECT ${COLUMNS} FROM booking_change WHERE booking_id = ANY (:bookingIds::uuid[]) ORDER BY id DESC`,
);

// The lease keeps other replicas away for longer than a payment call may take.
export const claimDueChanges = namedStatement<ChangeRow & { now: Date }, 'limit' | 'onlyExpired'>(
  'change-claim-due',
  `UPDATE booking_change
      SET attempts = attempts + 1, next_attempt_at = now() + interval '10 seconds'
    WHERE id IN (SELECT id FROM booking_change
                  WHERE next_attempt_at <= now() AND (NOT :onlyExpired::boolean OR expires_at <= now())
                  ORDER BY next_attempt_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}, now()`,
);

export const postponeChange = namedStatement<Record<string, never>, 'id'>(
  'change-postpone',
  `UPDATE booking_change
      SET next_attempt_at = least(expires_at, now() + least(60, 2 ^ (least(attempts, 7) - 1)) * interval '1 second')
    WHERE id = :id::uuid AND state = 'PENDING'`,
);

/** The values of {@link ENDING_CHANGE}. */
export type EndingValues = Record<'changeState' | 'endedChangeId' | 'releaseEvents', unknown>;
