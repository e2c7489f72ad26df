import type { Queryable } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import type { AuditEntry } from '#platform/operator/audit.ts';
import type { Booking } from '../domain/booking.ts';
import type { BookingChange } from '../domain/booking-change.ts';
import { toEvent, toReleaseEvents } from './booking-events.ts';
import { toSaveValues } from './booking-rows.ts';
import {
  updateBooking,
  updateBookingAndEndChange,
  updateBookingWithAudit,
} from './booking-statements.ts';

/** What led to a new version: an event, a principal, or the end of a change. */
export interface Cause {
  eventId?: string | undefined;
  auditEntry?: AuditEntry | undefined;
  /** A change that is not applied, and that ends with this version. */
  ending?: { change: BookingChange; state: 'DECLINED' | 'EXPIRED' } | undefined;
}

/** Writes the next version with the event of its new status; returns the events to publish. */
export async function saveBooking(
  db: Queryable,
  previous: Booking,
  next: Booking,
  { eventId, auditEntry, ending }: Cause = {},
): Promise<{ saved: boolean; events: EventRecord[] }> {
  const events = next.state.status === previous.state.status ? [] : [toEvent(next)];
  const values = {
    ...toSaveValues(previous, next),
    eventId: eventId ?? null,
    events: JSON.stringify(events),
  };
  if (ending) {
    // A declined change has no charge.
    const released = ending.state === 'EXPIRED' ? toReleaseEvents(next, ending.change) : [];
    const [row] = await updateBookingAndEndChange(db, {
      ...values,
      auditEntry: auditEntry ? JSON.stringify(auditEntry) : null,
      endedChangeId: ending.change.id,
      changeState: ending.state,
      releaseEvents: JSON.stringify(released),
    });
    const isEnded = row?.isChangeEnded === true;
    return { saved: row?.saved === true, events: isEnded ? [...events, ...released] : events };
  }
  const [row] = auditEntry
    ? await updateBookingWithAudit(db, { ...values, auditEntry: JSON.stringify(auditEntry) })
    : await updateBooking(db, values);
  return { saved: row?.saved === true, events };
}
