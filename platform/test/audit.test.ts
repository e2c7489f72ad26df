import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase, type TestDatabase } from '../../tests/support/database.ts';
import type { Connection } from '../graphql/pagination.ts';
import { withCorrelation } from '../observability/correlation.ts';
import {
  type AuditEntry,
  type AuditLog,
  insertAuditEntry,
  newAuditEntry,
  postgresAuditLog,
  roleFor,
} from '../operator/audit.ts';
import { auditResolvers } from '../operator/audit-resolvers.ts';

const write = `WITH audited AS (${insertAuditEntry('$1', '$2::boolean')}) SELECT`;

const anEntry = (changes: Partial<AuditEntry> = {}): AuditEntry => ({
  ...newAuditEntry({
    userId: 'kim',
    actedAs: 'customer',
    action: 'cancelBooking',
    subjectType: 'booking',
    subjectId: uuidv7(),
    details: { refund: { amount: 1, currency: 'KRW' } },
  }),
  ...changes,
});

describe.each(['book', 'payment', 'space'] as const)("%s's audit log", (context) => {
  let database: TestDatabase;
  let log: AuditLog;

  beforeAll(async () => {
    database = await createDatabase(context);
    log = postgresAuditLog(database.pool);
  });

  afterAll(() => database?.drop());

  async function written(changes: Partial<AuditEntry> = {}): Promise<AuditEntry> {
    const entry = anEntry(changes);
    await database.query(write, [JSON.stringify(entry), true]);
    return entry;
  }

  test('an entry of the audit log is read as it was written', async () => {
    const entry = await withCorrelation('the-request', () => written({ actedAs: 'host' }));
    expect(entry.correlationId).toBe('the-request');
    const { subjectId } = entry;
    expect(await log.list({ subjectId, userId: null }, null, 10)).toEqual([entry]);
  });

  test('the audit log stores no entry of a change that had no effect, nor two with the same id', async () => {
    const entry = anEntry();
    await database.query(write, [JSON.stringify(entry), false]);
    expect(await log.list({ subjectId: entry.subjectId, userId: null }, null, 10)).toEqual([]);
    await database.query(write, [JSON.stringify(entry), true]);
    const again = database.query(write, [JSON.stringify(entry), true]);
    await expect(again).rejects.toMatchObject({ code: '23505' });
  });

  test('the audit log is listed by subject, by user and by both, newest first', async () => {
    const [subjectId, other] = [uuidv7(), uuidv7()];
    const [kim, lee] = [`kim-${randomUUID()}`, `lee-${randomUUID()}`];
    const first = await written({ subjectId, userId: kim });
    const second = await written({ subjectId, userId: lee });
    const third = await written({ subjectId: other, userId: kim });
    const fourth = await written({ subjectId, userId: kim });
    const list = async (filter: { subjectId: string | null; userId: string | null }) =>
      (await log.list(filter, null, 10)).map(({ id }) => id);
    expect(await list({ subjectId, userId: null })).toEqual([fourth.id, second.id, first.id]);
    expect(await list({ subjectId: null, userId: kim })).toEqual([fourth.id, third.id, first.id]);
    expect(await list({ subjectId, userId: kim })).toEqual([fourth.id, first.id]);
    expect(await list({ subjectId: other, userId: lee })).toEqual([]);
    expect((await list({ subjectId: null, userId: null })).slice(0, 4)).toEqual(
      [fourth, third, second, first].map(({ id }) => id),
    );
  });

  test('every page of the audit log is read along an index', async () => {
    await database.query('ANALYZE audit_entry');
    const client = await database.pool.connect();
    try {
      await client.query('SET enable_seqscan = off');
      for (const [condition, index] of [
        ['TRUE', 'audit_entry_pkey'],
        [`subject_id = '${uuidv7()}'`, 'audit_entry_subject_id_id_idx'],
        ["user_id = 'kim'", 'audit_entry_user_id_id_idx'],
      ]) {
        const { rows } = await client.query(
          `EXPLAIN SELECT * FROM audit_entry WHERE id < '${uuidv7()}' AND ${condition}
            ORDER BY id DESC LIMIT 21`,
        );
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        expect(plan).toContain(index);
        expect(plan).not.toContain('Sort');
      }
    } finally {
      client.release(true);
    }
  });

  describe('the protection of its entries', () => {
    let owner: pg.Client;
    const role = `owner_${randomUUID().replaceAll('-', '')}`;

    beforeAll(async () => {
      // As in docker-compose.yml: the context's own role owns what its migrations create.
      await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
      await database.query(`ALTER TABLE audit_entry OWNER TO ${role}`);
      await database.query(`ALTER FUNCTION refuse_audit_change() OWNER TO ${role}`);
      const url = new URL(database.url);
      url.username = role;
      url.password = 'secret';
      owner = new pg.Client({ connectionString: url.href });
      await owner.connect();
    });

    afterAll(async () => {
      await owner?.end();
      await database?.query(`REASSIGN OWNED BY ${role} TO CURRENT_USER`);
      await database?.query(`DROP ROLE ${role}`);
    });

    const attempts: [name: string, sql: (id: string) => string][] = [
      ['an update', (id) => `UPDATE audit_entry SET user_id = 'lee' WHERE id = '${id}'`],
      ['an update without rows', () => `UPDATE audit_entry SET details = '{}' WHERE FALSE`],
      ['a deletion', (id) => `DELETE FROM audit_entry WHERE id = '${id}'`],
      ['a truncation', () => 'TRUNCATE audit_entry'],
      [
        'an insert that overwrites',
        (id) =>
          `INSERT INTO audit_entry SELECT * FROM audit_entry WHERE id = '${id}'
           ON CONFLICT (id) DO UPDATE SET user_id = 'lee'`,
      ],
      [
        'a merge',
        (id) =>
          `MERGE INTO audit_entry a USING (SELECT '${id}'::uuid AS id) b ON a.id = b.id
           WHEN MATCHED THEN DELETE`,
      ],
    ];

    test.each(attempts)(
      '%s of audit entries is refused, also for the owner of the table and for a superuser',
      async (_name, sql) => {
        const entry = await written();
        const refusal = { code: '42501', message: expect.stringContaining('append-only') };
        await expect(owner.query(sql(entry.id))).rejects.toMatchObject(refusal);
        await expect(database.query(sql(entry.id))).rejects.toMatchObject(refusal);
        const withoutTriggers = `SET LOCAL session_replication_role = replica; ${sql(entry.id)}`;
        await expect(database.query(withoutTriggers)).rejects.toMatchObject(refusal);
        const { subjectId } = entry;
        expect(await log.list({ subjectId, userId: null }, null, 10)).toEqual([entry]);
      },
    );

    test('the owner of the table can append audit entries', async () => {
      const entry = anEntry();
      await owner.query(write, [JSON.stringify(entry), true]);
      const { subjectId } = entry;
      expect(await log.list({ subjectId, userId: null }, null, 10)).toEqual([entry]);
    });
  });
});

describe('the query of the audit log', () => {
  let database: TestDatabase;
  let readPage: (args: object) => Promise<Connection<AuditEntry>>;
  let subjectId: string;

  beforeAll(async () => {
    database = await createDatabase('book');
    const { Query } = auditResolvers('Book', postgresAuditLog(database.pool));
    type Field = (...args: unknown[]) => Promise<Connection<AuditEntry>>;
    const field = Query.bookAuditLog as unknown as Field;
    readPage = (args) => field(null, { first: 3, ...args });
  });

  afterAll(() => database?.drop());

  beforeEach(() => {
    subjectId = uuidv7();
  });

  const add = async (count: number) => {
    const entries = Array.from({ length: count }, () => anEntry({ subjectId }));
    for (const entry of entries) await database.query(write, [JSON.stringify(entry), true]);
    return entries.map(({ id }) => id);
  };

  test.each([{}, { by: 'subject' }])(
    'pages of the audit log have no gaps or duplicates while entries are added %j',
    async ({ by }) => {
      const before = await add(8);
      const filter = by ? { subjectId } : {};
      const seen: string[] = [];
      let after: string | null = null;
      for (let page = 0; page < 3; page += 1) {
        const { edges, pageInfo }: Connection<AuditEntry> = await readPage({ ...filter, after });
        seen.push(...edges.map(({ node }) => node.id));
        expect(pageInfo.hasPreviousPage).toBe(page > 0);
        after = pageInfo.endCursor;
        await add(2);
      }
      expect(seen.slice(0, 8)).toEqual(before.reverse());
    },
  );

  test('the last page of the audit log has no next page', async () => {
    await add(3);
    expect((await readPage({ subjectId })).pageInfo.hasNextPage).toBe(false);
    await add(1);
    expect((await readPage({ subjectId })).pageInfo.hasNextPage).toBe(true);
  });

  test('a query by subject finds its entries whatever the case of the id', async () => {
    const [id] = await add(1);
    const { edges } = await readPage({ subjectId: subjectId.toUpperCase() });
    expect(edges.map(({ node }) => node.id)).toEqual([id]);
  });

  test.each([
    ['subjectId', { subjectId: 'no id' }],
    ['subjectId', { subjectId: '' }],
    ['userId', { userId: 'kim\0' }],
    ['after', { after: 'nonsense' }],
    ['after', { after: Buffer.from('"no id"').toString('base64url') }],
    ['first', { first: 0 }],
    ['first', { first: 101 }],
  ])('a query with a wrong %s is refused and names the argument', async (field, args) => {
    await expect(readPage(args)).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', field },
    });
  });
});

test('an operator acts in a required role that they have, and otherwise as an operator', () => {
  const as = (...roles: ('customer' | 'host' | 'operator')[]) =>
    roleFor({ userId: 'kim', roles }, 'host');
  expect([as('host'), as('operator', 'host'), as('operator')]).toEqual([
    'host',
    'host',
    'operator',
  ]);
});
