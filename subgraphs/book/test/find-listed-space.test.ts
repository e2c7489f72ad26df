import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { prismaCatalogue } from '../src/adapters/prisma-catalogue.ts';
import { findListedSpace } from '../src/application/find-listed-space.ts';
import type { BookPorts, Catalogue } from '../src/ports.ts';
import { aSpace } from './a-booking.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let catalogue: Catalogue;
let queries = 0;

beforeAll(async () => {
  database = await createDatabase('book');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
});

beforeEach(() => {
  catalogue = prismaCatalogue(prisma, database.pool);
  queries = 0;
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

const find = (id: string) => {
  const counting = {
    ...catalogue,
    find(wanted: string) {
      queries += 1;
      return catalogue.find(wanted);
    },
  };
  const ports = { catalogue: counting, clock: () => new Date() } as unknown as BookPorts;
  return findListedSpace(ports, id);
};

test('a space whose event comes after the request is found as soon as it is stored', async () => {
  const id = uuidv7();
  const found = find(id);
  await catalogue.store(aSpace({ id }), uuidv7());
  expect(await found).toMatchObject({ id });
  expect(queries).toBeLessThanOrEqual(2);
});

test('a space that another process stores is found by the second look', async () => {
  const id = uuidv7();
  const found = find(id);
  await prismaCatalogue(prisma, database.pool).store(aSpace({ id }), uuidv7());
  expect(await found).toMatchObject({ id });
  expect(queries).toBeLessThanOrEqual(2);
});

test('a made-up id that looks young costs two queries, and holds no connection meanwhile', async () => {
  const waiting = Array.from({ length: 50 }, () => find(uuidv7()));
  // More than the pool has connections.
  await Promise.all(Array.from({ length: 30 }, () => database.query('SELECT 1')));
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([null]));
  expect(queries).toBe(100);
});

test('made-up ids beyond a hundred at once do not wait', async () => {
  const found = await Promise.all(Array.from({ length: 250 }, () => find(uuidv7())));
  expect(found).toHaveLength(250);
  expect(queries).toBe(250 + 100);
});

test('an id that is old costs one query', async () => {
  expect(await find('01900000-0000-7000-8000-00000000abcd')).toBeNull();
  expect(queries).toBe(1);
});
