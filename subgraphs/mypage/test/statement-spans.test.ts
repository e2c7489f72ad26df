import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inSpan } from '#platform/tracing/tracing.ts';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { exportedSpans } from '../../../tests/support/exported-spans.ts';
import { newBooking, openViews } from './a-view-database.ts';
import { engines } from './engines.ts';

describe.each(engines)('the spans of statements on $name', (engine) => {
  let opened: Awaited<ReturnType<typeof openViews>>;
  let prisma: PrismaClient;
  beforeAll(async () => {
    opened = await openViews(engine);
    prisma = opened.clients[0] as PrismaClient;
  }, 60_000);
  afterAll(() => opened.close());

  test('a read has a span with the name of its table and without its values', async () => {
    const booking = newBooking();
    const spans = await exportedSpans(() => inSpan('request', {}, () => opened.findView(booking)));
    const request = spans.find(({ name }) => name === 'request');
    const read = spans.find(({ name }) => name === 'SELECT booking_status_view');
    expect(read).toMatchObject({
      parentSpanId: request?.spanId,
      isFailed: false,
      attributes: { 'db.system.name': engine.name.toLowerCase() },
    });
    expect(JSON.stringify(spans)).not.toContain(booking.customerId);
  });

  test('a transaction has a span for each statement, and one for its commit', async () => {
    const spans = await exportedSpans(() =>
      inSpan('request', {}, () =>
        prisma.$transaction(async (tx) => {
          await tx.$executeRawUnsafe(
            'UPDATE booking_status_view SET version = 1 WHERE version < 0',
          );
          await tx.$queryRawUnsafe('SELECT 1 AS one');
        }),
      ),
    );
    const names = spans.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['UPDATE booking_status_view', 'SELECT', 'COMMIT']),
    );
  });

  test('a statement that the database refuses is a failed span', async () => {
    const spans = await exportedSpans(() =>
      inSpan('request', {}, async () => {
        await prisma.$queryRawUnsafe('SELECT * FROM no_table').catch(() => {});
      }),
    );
    expect(spans.filter(({ isFailed }) => isFailed).map(({ name }) => name)).toEqual([
      'SELECT no_table',
    ]);
  });

  test('a key that another writer was faster to store is no failure', async () => {
    const insert = `INSERT INTO statement_spans (id) VALUES (1)`;
    await prisma.$executeRawUnsafe('CREATE TABLE statement_spans (id INTEGER PRIMARY KEY)');
    await prisma.$executeRawUnsafe(insert);
    const spans = await exportedSpans(() =>
      inSpan('request', {}, async () => {
        await expect(prisma.$executeRawUnsafe(insert)).rejects.toThrow();
      }),
    );
    expect(spans.map(({ name, isFailed }) => [name, isFailed])).toEqual([
      ['INSERT statement_spans', false],
      ['request', false],
    ]);
  });

  test('a statement outside of any trace has no span', async () => {
    expect(await exportedSpans(() => opened.findView(newBooking()))).toEqual([]);
  });
});
