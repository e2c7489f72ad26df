import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMariaDbViews, migrate } from '../../../tests/support/database.ts';
import { type DeadLetterPlace, describeDeadLetters } from '../../../tests/support/dead-letters.ts';
import { prismaDeadLetters } from '../src/adapters/prisma-dead-letters.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';

async function openPlace(url: string, drop: () => Promise<unknown>): Promise<DeadLetterPlace> {
  const prisma = await openViewDatabase(url);
  return {
    inbox: prismaViewStore(prisma),
    deadLetters: prismaDeadLetters(prisma),
    hold: (eventId) => prisma.inboxEvent.create({ data: { eventId } }),
    async drop() {
      await prisma.$disconnect();
      await drop();
    },
  };
}

describeDeadLetters('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'views-'));
  const url = `file:${join(folder, 'mypage.sqlite')}`;
  await migrate(url, 'prisma/mypage/migrations/sqlite');
  return openPlace(url, () => rm(folder, { recursive: true, force: true }));
});

if (process.env.TEST_MARIADB_URL) {
  describeDeadLetters('MariaDB', async () => {
    const { url, drop } = await createMariaDbViews();
    return openPlace(url, drop);
  });
}
