import { v7 as uuidv7 } from 'uuid';
import type { Principal, Role } from '../auth/principal.ts';
import { type Queryable, statement } from '../database/postgres.ts';
import { correlationId } from '../observability/correlation.ts';

/** An action of a user, and its request. Actions of the system itself are recorded as events. */
export interface AuditEntry {
  id: string;
  at: Date;
  userId: string;
  actedAs: Role;
  /** The name of the mutation, such as `cancelBooking`. */
  action: string;
  subjectType: string;
  subjectId: string;
  correlationId: string;
  /** Small values; never payment methods or tokens. */
  details: Record<string, unknown>;
}

/** An entry of the present moment, with the current correlation id. */
export function newAuditEntry(action: Omit<AuditEntry, 'id' | 'at' | 'correlationId'>): AuditEntry {
  return { id: uuidv7(), at: new Date(), correlationId: correlationId(), ...action };
}

/** The role in which a user does what `role` may do: `operator` for operators without that role. */
export function roleFor<R extends Role>({ roles }: Principal, role: R): R | 'operator' {
  return roles.includes(role) ? role : 'operator';
}

/**
 * SQL that stores the entry of a JSON parameter, as a part of the statement of the action. With
 * `condition` it depends on whether that statement changes anything.
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

/** Null: the entries of all subjects, of all users. */
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

/** The audit log in the database of the actions. Nothing changes or deletes an entry. */
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
