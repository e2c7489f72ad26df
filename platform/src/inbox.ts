import { type Queryable, statement } from './postgres.ts';

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

export function postgresInbox(db: Queryable): Inbox {
  return { held: async (ids) => (await held(db, ids)).map((row) => row.event_id) };
}
