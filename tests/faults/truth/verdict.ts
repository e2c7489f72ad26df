import type { Records } from '../load/records.ts';
import { databaseInvariants, recordInvariants } from './invariants.ts';
import { type Databases, takeSnapshot } from './snapshot.ts';
import { compareViews } from './views.ts';
import type { Violation } from './violation.ts';

export type { Violation };

/** Where the truth lies. */
export interface Truth {
  /** A superuser's address on the server of the databases. */
  adminUrl: string;
  databases: Databases;
  viewsUrl: string;
}

/** So many of each invariant are told; the others are the same again. */
export const TOLD = 20;

/**
 * Checks every invariant over the whole databases and against what clients were told; views are
 * made anew for bookings requested at or after `since`.
 */
export async function judge(truth: Truth, records: Records, since: Date): Promise<Violation[]> {
  const violations: Violation[] = records.surprises.map((detail) => ({
    invariant: 'a client is never surprised',
    kind: 'unexpected',
    culprit: null,
    detail,
  }));
  const snapshot = await takeSnapshot(truth.adminUrl, truth.databases, records);
  try {
    for (const { name, kind, sql } of [...databaseInvariants, ...recordInvariants]) {
      type Row = { culprit: string | null; detail: string | null };
      const broken = await snapshot.query<Row>(`SELECT * FROM (${sql}) t LIMIT ${TOLD}`);
      for (const { culprit, detail } of broken) {
        violations.push({ invariant: name, kind, culprit, detail: detail ?? '' });
      }
    }
  } finally {
    await snapshot.close();
  }
  violations.push(...(await compareViews(truth.databases, truth.viewsUrl, since)).slice(0, TOLD));
  return violations;
}
