import { v7 as uuidv7 } from 'uuid';
import type { Role, Viewer } from '../auth/viewer.ts';
import { type Queryable, statement } from '../database/postgres.ts';
import { correlationId } from '../observability/correlation.ts';

/** What a person did, under which request. What the system does by itself is told by events. */
export interface AuditEntry {
  id: string;
  at: Date;
  userId: string;
  actedAs: Role;
  /** The API's own word for it, such as `cancelBooking`. */
  action: string;
  subjectType: string;
  subjectId: string;
  correlationId: string;
  /** Small facts; never payment methods or tokens. */
  details: Record<string, unknown>;
}

/** An entry of now, under the correlation id at hand. */
export function newAuditEntry(act: Omit<AuditEntry, 'id' | 'at' | 'correlationId'>): AuditEntry {
  return { id: uuidv7(), at: new Date(), correlationId: correlationId(), ...act };
}

/** As what the viewer does what `role` may do: operators may without having the role. */
export function actedAs<R extends Role>({ roles }: Viewer, role: R): R | 'operator' {
  return roles.includes(role) ? role : 'operator';
}

/**
 * SQL that stores the entry of a JSON parameter, to be put into the statement of what it tells of.
 * `condition` makes it depend on whether that statement changes anything.
 */
export function insertAuditEntry(parameter: string, condition: string): string {
  return `
    INSERT INTO audit_entry (id, at, user_id, acted_as, action, subject_type, subject_id,
                             correlation_id, details)
    SELECT id, at, "userId", "actedAs", action, "subjectType", "subjectId", "correlationId", details
      FROM jsonb_to_record(${parameter}::jsonb)
        AS a (id uuid, at timestamptz, "userId" text, "actedAs" acted_as, action text,
              "subjectType" text, "subjectId" uuid, "correlationId" text, details jsonb)
     WHERE ${condition}`;
}

/** Which entries to list: those of all subjects and users where neither is named. */
export interface AuditFilter {
  subjectId: string | null;
  userId: string | null;
}

export interface AuditLog {
  /** Up to `limit` entries before the id, newest first. */
  list(filter: AuditFilter, before: string | null, limit: number): Promise<AuditEntry[]>;
}

const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

// A statement for each filter: one for all, with "or is null", could be planned without an index.
const listing = (filter: string, condition: string) =>
  statement<AuditEntry>(
    `audit-list-${filter}`,
    `SELECT id, at, user_id AS "userId", acted_as AS "actedAs", action,
            subject_type AS "subjectType", subject_id AS "subjectId",
            correlation_id AS "correlationId", details
       FROM audit_entry
      WHERE id < $1::uuid AND ${condition}
      ORDER BY id DESC LIMIT $2`,
  );

const listAll = listing('all', 'TRUE');
const listBySubject = listing('subject', 'subject_id = $3::uuid');
const listByUser = listing('user', 'user_id = $3');
const listByBoth = listing('both', 'subject_id = $3::uuid AND user_id = $4');

/** The audit log beside what it tells of. Nothing changes or removes an entry. */
export function postgresAuditLog(db: Queryable): AuditLog {
  return {
    list({ subjectId, userId }, before, limit) {
      const page = [before ?? LAST, limit];
      if (subjectId !== null && userId !== null) return listByBoth(db, ...page, subjectId, userId);
      if (subjectId !== null) return listBySubject(db, ...page, subjectId);
      return userId === null ? listAll(db, ...page) : listByUser(db, ...page, userId);
    },
  };
}
