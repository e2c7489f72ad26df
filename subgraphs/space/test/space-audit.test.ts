import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { withCorrelation } from '#platform/observability/correlation.ts';
import { type AuditLog, postgresAuditLog } from '#platform/operator/audit.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { prismaSpaceStore } from '../src/adapters/prisma-space-store.ts';
import { listSpace } from '../src/application/list-space.ts';
import type { SpaceListing } from '../src/domain/space-listing.ts';
import type { ActingPrincipal, SpacePorts } from '../src/ports.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let ports: SpacePorts;
let audit: AuditLog;

beforeAll(async () => {
  database = await createDatabase('space');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  ports = {
    spaces: prismaSpaceStore(prisma, database.pool, { publish: () => {} }),
    clock: () => new Date(),
    newId: uuidv7,
    log: () => {},
  } as unknown as SpacePorts;
  audit = postgresAuditLog(database.pool);
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

const hana: ActingPrincipal = { userId: 'hana', role: 'host' };
const list = (by: ActingPrincipal, changes: Partial<SpaceListing> = {}) =>
  listSpace(ports, by, {
    name: 'Loft',
    description: 'a long story',
    address: '',
    timeZone: 'Asia/Seoul',
    capacity: 10,
    hourlyRate: 30_000,
    currency: 'KRW',
    ...changes,
  });
const all = () => audit.list({ subjectId: null, userId: null }, null, 10);

async function listSuccessfully(by: ActingPrincipal): Promise<string> {
  const space = await withCorrelation('listed', () => list(by));
  if ('type' in space) throw new Error(space.message);
  return space.id;
}

test('the audit log records who listed a space, in the transaction of the listing', async () => {
  const id = await listSuccessfully(hana);
  expect(await audit.list({ subjectId: id, userId: null }, null, 10)).toMatchObject([
    {
      userId: 'hana',
      actedAs: 'host',
      action: 'listSpace',
      subjectType: 'space',
      subjectId: id,
      correlationId: 'listed',
      details: { name: 'Loft', hourlyRate: { amount: 30_000, currency: 'KRW' } },
    },
  ]);
  const transactions = await database.query(
    `SELECT xmin::text FROM space WHERE id = $1
     UNION SELECT xmin::text FROM outbox WHERE aggregate_id = $1
     UNION SELECT xmin::text FROM audit_entry WHERE subject_id = $1`,
    [id],
  );
  expect(transactions).toHaveLength(1);
});

test('the audit log records the role of an operator who is no host', async () => {
  await listSuccessfully({ userId: 'olga', role: 'operator' });
  expect((await all())[0]).toMatchObject({ userId: 'olga', actedAs: 'operator' });
});

test('the audit log records no listings that are refused or fail', async () => {
  await listSuccessfully(hana);
  const before = await all();
  expect(await list(hana, { capacity: 0 })).toMatchObject({ type: 'InvalidSpace' });
  const withUsedId = { ...ports, newId: () => before[0]?.subjectId as string };
  await expect(
    listSpace(withUsedId, hana, {
      name: 'Loft again',
      description: '',
      address: '',
      timeZone: 'Asia/Seoul',
      capacity: 1,
      hourlyRate: 1,
      currency: 'KRW',
    }),
  ).rejects.toMatchObject({ code: '23505' });
  expect(await all()).toEqual(before);
});
