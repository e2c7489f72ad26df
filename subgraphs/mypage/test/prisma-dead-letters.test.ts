import { describeDeadLetters } from '../../../tests/support/dead-letters.ts';
import { prismaDeadLetters } from '../src/adapters/prisma-dead-letters.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { engines } from './engines.ts';

for (const { name, create } of engines) {
  describeDeadLetters(name, async () => {
    const { url, drop } = await create();
    const prisma = await openViewDatabase(url);
    return {
      inbox: prismaViewStore(prisma),
      deadLetters: prismaDeadLetters(prisma),
      hold: (eventId) => prisma.inboxEvent.create({ data: { generation: 1, eventId } }),
      async drop() {
        await prisma.$disconnect();
        await drop();
      },
    };
  });
}
