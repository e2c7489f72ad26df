import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { describeDeadLetters } from '../../tests/support/dead-letters.ts';
import { type DeadLetters, postgresDeadLetters } from '../messaging/dead-letters.ts';
import { postgresInbox, recordProcessed } from '../messaging/inbox.ts';
import { withCorrelation } from '../observability/correlation.ts';
import { type AuditLog, postgresAuditLog } from '../operator/audit.ts';

describeDeadLetters('PostgreSQL', async () => {
  const database = await createDatabase('payment');
  return {
    inbox: postgresInbox(database.pool),
    deadLetters: postgresDeadLetters(database.pool),
    process: (id) => recordProcessed(database.pool, id),
    insertIntoInbox: (id) => database.query('INSERT INTO inbox (event_id) VALUES ($1)', [id]),
    drop: () => database.drop(),
  };
});

describe.each(['book', 'payment', 'space'] as const)("%s's audit log", (context) => {
  let database: TestDatabase;
  let deadLetters: DeadLetters;
  let audit: AuditLog;

  beforeAll(async () => {
    database = await createDatabase(context);
    deadLetters = postgresDeadLetters(database.pool);
    audit = postgresAuditLog(database.pool);
  });

  afterAll(() => database?.drop());

  async function parked() {
    const event = {
      id: uuidv7(),
      topic: 'tests',
      type: 'Tested',
      aggregateId: uuidv7(),
      version: 1,
      occurredAt: '2030-01-31T10:00:00.000Z',
      correlationId: 'the event',
      payload: {},
      awaiting: [],
    };
    expect(await deadLetters.recordFailure(event, 'poison', 1)).toBe('PARKED');
    return event;
  }

  const findEntries = ({ aggregateId }: { aggregateId: string }) =>
    audit.list({ subjectId: aggregateId, userId: null }, null, 10);
  const findTransactions = ({ id, aggregateId }: { id: string; aggregateId: string }) =>
    database.query(
      `SELECT xmin::text FROM dead_letter WHERE event_id = $1
       UNION SELECT xmin::text FROM audit_entry WHERE subject_id = $2`,
      [id, aggregateId],
    );

  test('the audit log records who discarded a dead letter and why, in the same transaction and once', async () => {
    const event = await parked();
    const resolution = { state: 'DISCARDED', by: 'olga', reason: 'a test' } as const;
    const resolved = await Promise.all(
      Array.from({ length: 5 }, () =>
        withCorrelation('the operator', () => deadLetters.resolve(event.id, resolution)),
      ),
    );
    expect(resolved.filter(Boolean)).toHaveLength(1);
    expect(await findEntries(event)).toMatchObject([
      {
        userId: 'olga',
        actedAs: 'operator',
        action: 'discardDeadLetter',
        subjectType: 'event',
        correlationId: 'the operator',
        details: { eventId: event.id, type: 'Tested', reason: 'a test' },
      },
    ]);
    expect(await findTransactions(event)).toHaveLength(1);
  });

  test('the audit log records who replayed a dead letter, in the same transaction and once', async () => {
    const event = await parked();
    const resolution = { state: 'REPLAYED', by: 'olga', reason: null } as const;
    expect(await deadLetters.resolve(event.id, resolution)).toBe(false);
    expect(await findEntries(event)).toEqual([]);
    await deadLetters.beginReplay(event.id);
    expect(await deadLetters.resolve(event.id, resolution)).toBe(true);
    expect(await deadLetters.resolve(event.id, resolution)).toBe(false);
    const entries = await findEntries(event);
    expect(entries).toMatchObject([{ userId: 'olga', action: 'replayDeadLetter' }]);
    expect(entries[0]?.details).toEqual({ eventId: event.id, type: 'Tested' });
    expect(await findTransactions(event)).toHaveLength(1);
  });

  test('the audit log records nothing of a dead letter that does not exist', async () => {
    const resolution = { state: 'DISCARDED', by: 'mallory', reason: 'a test' } as const;
    expect(await deadLetters.resolve(uuidv7(), resolution)).toBe(false);
    expect(await audit.list({ subjectId: null, userId: 'mallory' }, null, 10)).toEqual([]);
  });
});
