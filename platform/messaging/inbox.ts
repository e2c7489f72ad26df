import { type Queryable, statement } from '../database/postgres.ts';

/**
 * The ids of the events that a consumer has processed, parked or discarded. It writes an event's id in
 * the transaction of the effect; producers' relays read the inbox to acknowledge their events.
 */
export interface Inbox {
  /** The ids among `ids` that the inbox contains. */
  findRecorded(ids: readonly string[]): Promise<string[]>;
}

const recorded = statement<{ event_id: string }>(
  'inbox-find-recorded',
  'SELECT event_id FROM inbox WHERE event_id = ANY($1::uuid[])',
);

/**
 * SQL of two parts of a WITH: `recorded` inserts the event of the parameter into the inbox if `condition`
 * is true, `deleted_failures` deletes the record of its failed attempts. `onConflict` applies when the inbox
 * has the event already; '' makes the whole statement fail.
 */
export function insertInbox(
  parameter: string,
  condition = 'TRUE',
  onConflict: '' | 'ON CONFLICT DO NOTHING' = 'ON CONFLICT DO NOTHING',
): string {
  return `recorded AS (
     INSERT INTO inbox (event_id) SELECT ${parameter}::uuid WHERE ${condition} ${onConflict}
  RETURNING event_id),
   deleted_failures AS (
     DELETE FROM dead_letter WHERE event_id IN (SELECT event_id FROM recorded) AND state = 'FAILING')`;
}

const record = statement<{ event_id: string }>(
  'inbox-record',
  `WITH ${insertInbox('$1')} SELECT event_id FROM recorded`,
);

/** Inserts an event without another effect into the inbox. False: the inbox had it already. */
export async function recordProcessed(db: Queryable, eventId: string): Promise<boolean> {
  return (await record(db, eventId)).length > 0;
}

export function postgresInbox(db: Queryable): Inbox {
  return { findRecorded: async (ids) => (await recorded(db, ids)).map((row) => row.event_id) };
}
