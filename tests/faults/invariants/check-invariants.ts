import type { Records } from '../load/records.ts';
import { bookingInvariants } from './booking-invariants.ts';
import { changeInvariants } from './change-invariants.ts';
import { clientChangeInvariants } from './client-change-invariants.ts';
import { clientInvariants } from './client-invariants.ts';
import { eventInvariants } from './event-invariants.ts';
import { MAX_VIOLATIONS_PER_INVARIANT, type Violation } from './invariant.ts';
import { paymentInvariants } from './payment-invariants.ts';
import { createSnapshot } from './snapshot.ts';
import type { ContextUrls } from './snapshot-tables.ts';
import { compareViews } from './view-comparison.ts';

/** The addresses of everything that the invariants read. */
export interface DatabaseUrls {
  /** A superuser's, on the server of the contexts' databases. */
  admin: string;
  contexts: ContextUrls;
  views: string;
}

const INVARIANTS = [
  ...bookingInvariants,
  ...changeInvariants,
  ...paymentInvariants,
  ...eventInvariants,
  ...clientInvariants,
  ...clientChangeInvariants,
];

/**
 * Checks every invariant over the whole databases and against the responses that clients received.
 * Views are projected again for bookings requested at or after `since`. `hasOlderViews`: a release up to
 * 0.2.0 has stored some, without the fields that only hosts see.
 */
export async function findViolations(
  urls: DatabaseUrls,
  records: Records,
  since: Date,
  { hasOlderViews = false } = {},
): Promise<Violation[]> {
  const violations: Violation[] = records.versionRegressions.map((detail) => ({
    invariant: 'no client sees an older version of a view after a newer one',
    kind: 'unexpected',
    subject: null,
    detail,
  }));
  const snapshot = await createSnapshot(urls.admin, urls.contexts, records);
  try {
    for (const { name, kind, sql } of INVARIANTS) {
      const found = await snapshot.query<{ subject: string | null; detail: string | null }>(
        `SELECT * FROM (${sql}) t LIMIT ${MAX_VIOLATIONS_PER_INVARIANT}`,
      );
      for (const { subject, detail } of found) {
        violations.push({ invariant: name, kind, subject, detail: detail ?? '' });
      }
    }
  } finally {
    await snapshot.close();
  }
  const differences = await compareViews(urls.contexts, urls.views, {
    since,
    hasOlderViews,
  });
  return [...violations, ...differences.slice(0, MAX_VIOLATIONS_PER_INVARIANT)];
}
