import type { Queryable } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import type { AuditEntry } from '#platform/operator/audit.ts';
import type { Booking } from '../domain/booking.ts';
import { toEvent } from './booking-events.ts';
import { toSaveValues } from './booking-rows.ts';
import { updateBooking, updateBookingWithAudit } from './booking-statements.ts';

/** What led to a new version: an event, or a principal. */
export interface Cause {
  eventId?: string | undefined;
  auditEntry?: AuditEntry;
}

/** Writes the next version with the event of its new status; returns the events to publish. */
export async function saveBooking(
  db: Queryable,
  previous: Booking,
  next: Booking,
  { eventId, auditEntry }: Cause = {},
): Promise<{ saved: boolean; events: EventRecord[] }> {
  const events = next.state.status === previous.state.status ? [] : [toEvent(next)];
  const values = {
    ...toSaveValues(previous, next),
    eventId: eventId ?? null,
    events: JSON.stringify(events),
  };
  const [row] = auditEntry
    ? await updateBookingWithAudit(db, { ...values, auditEntry: JSON.stringify(auditEntry) })
    : await updateBooking(db, values);
  return { saved: row?.saved === true, events };
}
