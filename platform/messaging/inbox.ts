import { type Queryable, statement } from '../database/postgres.ts';

/**
 * A consumer's memory of the events that it holds durably. Each consumer writes the event's id in
 * the transaction of the effect; this reads it back for the producers' relays.
 */
export interface Inbox {
  /** Which of these events are held? */
  held(ids: readonly string[]): Promise<string[]>;
}

const held = statement<{ event_id: string }>(
  'inbox-held',
  'SELECT event_id FROM inbox WHERE event_id = ANY($1::uuid[])',
);

/**
 * SQL of two parts of a WITH: `taken` puts the event of the parameter into the inbox where `condition`
 * holds, `cleared` removes what its failed attempts left. `onConflict`: what happens when the inbox
 * has the event; '' makes the whole statement fail.
 */
export function insertInbox(
  parameter: string,
  condition = 'TRUE',
  onConflict: '' | 'ON CONFLICT DO NOTHING' = 'ON CONFLICT DO NOTHING',
): string {
  return `taken AS (
     INSERT INTO inbox (event_id) SELECT ${parameter}::uuid WHERE ${condition} ${onConflict}
  RETURNING event_id),
   cleared AS (
     DELETE FROM dead_letter WHERE event_id IN (SELECT event_id FROM taken) AND state = 'FAILING')`;
}

const take = statement<{ event_id: string }>(
  'inbox-take',
  `WITH ${insertInbox('$1')} SELECT event_id FROM taken`,
);

/** Puts an event without another effect into the inbox. False: it was there before. */
export async function takeEvent(db: Queryable, eventId: string): Promise<boolean> {
  return (await take(db, eventId)).length > 0;
}

export function postgresInbox(db: Queryable): Inbox {
  return { held: async (ids) => (await held(db, ids)).map((row) => row.event_id) };
}
