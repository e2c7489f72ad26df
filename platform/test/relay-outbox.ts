import { v7 as uuidv7 } from 'uuid';
import type { ContextName } from '#contracts/topology.ts';
import { createDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { statement } from '../database/postgres.ts';
import type { EventRecord } from '../messaging/events.ts';
import { insertOutbox } from '../messaging/outbox.ts';

export const insertEvents = statement('test-insert', insertOutbox('$1'));

/** A real outbox, with what the tests of the relay read from it and change in it. */
export class TestOutbox {
  readonly database: TestDatabase;

  private constructor(database: TestDatabase) {
    this.database = database;
  }

  static async open(): Promise<TestOutbox> {
    // The outbox has the same columns in every context.
    return new TestOutbox(await createDatabase('payment'));
  }

  async insert(...events: EventRecord[]): Promise<void> {
    await insertEvents(this.database.pool, JSON.stringify(events));
  }

  /** Makes the events due at once, as if their lease had expired. */
  async expireLease(...events: EventRecord[]): Promise<void> {
    await this.database.query(
      "UPDATE outbox SET next_attempt_at = now() - interval '1 s' WHERE id = ANY($1)",
      [events.map(({ id }) => id)],
    );
  }

  async read(event: EventRecord) {
    const [row] = await this.database.query<{ awaiting: string[]; attempts: number }>(
      'SELECT awaiting, attempts FROM outbox WHERE id = $1',
      [event.id],
    );
    return row;
  }

  /** Do exactly these consumers still have to acknowledge each of the events? */
  async isAwaiting(events: readonly EventRecord[], ...names: ContextName[]): Promise<boolean> {
    const rows = await this.database.query(
      'SELECT FROM outbox WHERE id = ANY($1::uuid[]) AND awaiting = $2::text[]',
      [events.map(({ id }) => id), names],
    );
    return rows.length === events.length;
  }

  isFinished(event: EventRecord): Promise<boolean> {
    return this.isAwaiting([event]);
  }

  /** Leaves nothing to send to the next test. */
  async finishAll(): Promise<void> {
    await this.database.query("UPDATE outbox SET awaiting = '{}'");
  }
}

export function newEvent(topic: string, ...awaiting: ContextName[]): EventRecord {
  return {
    id: uuidv7(),
    topic,
    type: 'Tested',
    aggregateId: uuidv7(),
    version: 1,
    schemaVersion: 1,
    occurredAt: new Date().toISOString(),
    correlationId: 'test',
    payload: { any: 'thing' },
    awaiting,
  };
}
