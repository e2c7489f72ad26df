import { namedStatement } from '#platform/database/named-statement.ts';
import { statement } from '#platform/database/postgres.ts';
import { insertInbox } from '#platform/messaging/inbox.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';
import { type BookingRow, COLUMNS, type SaveValues } from './booking-rows.ts';
import { ENDING_CHANGE, type EndingValues, type StoredTerms } from './change-statements.ts';
import { EXPIRING } from './status-lists.ts';

export const readNow = statement<{ now: Date }>('booking-now', 'SELECT now()');

// With the terms of its request where changes have replaced them.
export const findByKey = statement<
  BookingRow & { hasPaymentMethod: boolean; firstTerms: StoredTerms | null }
>(
  'booking-by-key',
  `SELECT ${COLUMNS},
          payment_method_digest = booking_payment_method_digest(id, $3) AS "hasPaymentMethod",
          (SELECT c.from_terms FROM booking_change c
            WHERE c.booking_id = booking.id AND c.state = 'APPLIED' ORDER BY c.id LIMIT 1) AS "firstTerms"
     FROM booking WHERE customer_id = $1 AND idempotency_key = $2`,
);

export const findForEvent = statement<BookingRow & { isProcessed: boolean }>(
  'booking-for-event',
  `SELECT ${COLUMNS},
          EXISTS (SELECT FROM inbox WHERE event_id = $2::uuid) AS "isProcessed"
     FROM booking WHERE id = $1::uuid`,
);

const saving = (more = '', result = '') => `
   WITH changed AS (
     UPDATE booking
        SET status = :status::booking_status, live = :live, version = :version,
            next_payment_attempt_at = :nextPaymentAttemptAt, refund_amount = :refundAmount,
            payment_cancelled = :paymentCancelled,
            registration_cancelled = :registrationCancelled, payment_method = :paymentMethod,
            decision = :decision, rejection_reason = :rejectionReason,
            goodwill_amount = :goodwillAmount, change_id = :changeId::uuid,
            change_version = :changeVersion::int,
            deadline_at = CASE WHEN change_id IS NULL OR :changeId::uuid IS NOT NULL THEN deadline_at END,
            hold_expires_at = coalesce(:holdExpiresAt::timestamptz, hold_expires_at),
            payment_attempts = coalesce(:paymentAttempts::int, payment_attempts)
      WHERE id = :id::uuid AND version = :previousVersion
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = :eventId::uuid)
  RETURNING id),
   ${insertInbox(':eventId', ':eventId::uuid IS NOT NULL AND EXISTS (SELECT FROM changed)', '')},
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM changed)')})
   ${more}
   SELECT EXISTS (SELECT FROM changed) AS saved${result}`;

export const updateBooking = namedStatement<{ saved: boolean }, keyof SaveValues>(
  'booking-save',
  saving(),
);

export const updateBookingWithAudit = namedStatement<
  { saved: boolean },
  keyof SaveValues | 'auditEntry'
>(
  'booking-save-with-audit',
  saving(`, audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM changed)')})`),
);

export const updateBookingAndEndChange = namedStatement<
  { saved: boolean; isChangeEnded: boolean },
  keyof SaveValues | 'auditEntry' | keyof EndingValues
>(
  'booking-save-ending-change',
  saving(
    `, audited AS (${insertAuditEntry(
      ':auditEntry',
      ':auditEntry::jsonb IS NOT NULL AND EXISTS (SELECT FROM changed)',
    )})
   ${ENDING_CHANGE}`,
    ', EXISTS (SELECT FROM ended) AS "isChangeEnded"',
  ),
);

// The lease keeps other replicas away for longer than a payment call may take.
export const claimExpiring = statement<BookingRow & { now: Date }>(
  'booking-claim-expiring',
  `UPDATE booking
      SET payment_attempts = payment_attempts + 1,
          next_payment_attempt_at = now() + interval '10 seconds'
    WHERE id IN (SELECT id FROM booking
                  WHERE status IN (${EXPIRING})
                    AND next_payment_attempt_at <= now()
                    AND (NOT $2::boolean OR hold_expires_at <= now())
                  ORDER BY next_payment_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}, now()`,
);
