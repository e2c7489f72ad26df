import { expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { withStatementSpans } from '#platform/database/statement-spans.ts';
import { inSpan } from '#platform/tracing/tracing.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { createDatabase } from '../../../tests/support/database.ts';
import { exportedSpans } from '../../../tests/support/exported-spans.ts';

test('a transaction of Prisma on PostgreSQL has one span for its commit', async () => {
  const database = await createDatabase('space');
  const adapter = withStatementSpans(new PrismaPg(database.pool), 'postgresql');
  const prisma = new PrismaClient({ adapter });
  try {
    const spans = await exportedSpans(() =>
      inSpan('request', {}, () => prisma.$transaction((tx) => tx.space.count())),
    );
    expect(spans.map(({ name }) => name)).toEqual(['SELECT space', 'COMMIT', 'request']);
  } finally {
    await prisma.$disconnect();
    await database.drop();
  }
});
