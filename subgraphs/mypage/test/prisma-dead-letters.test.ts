import { v7 as uuidv7 } from 'uuid';
import { describeDeadLetters } from '../../../tests/support/dead-letters.ts';
import { prismaDeadLetters } from '../src/adapters/prisma-dead-letters.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';
import { engines } from './engines.ts';

for (const { name, create } of engines) {
  describeDeadLetters(name, async () => {
    const { url, drop } = await create();
    const prisma = await openViewDatabase(url);
    const views = prismaViewStore(prisma);
    return {
      inbox: views,
      deadLetters: prismaDeadLetters(prisma),
      process: async (id) => (await views.project([aProjectedEvent(id)])).length > 0,
      insertIntoInbox: (eventId) => prisma.inboxEvent.create({ data: { generation: 1, eventId } }),
      async drop() {
        await prisma.$disconnect();
        await drop();
      },
    };
  });
}

function aProjectedEvent(id: string): ProjectedEvent {
  const ids = { registrationId: uuidv7(), bookingId: uuidv7(), paymentId: uuidv7() };
  return {
    id,
    version: 1,
    occurredAt: new Date(),
    aggregate: 'registration',
    payload: { ...ids, status: 'REGISTERED', reason: null },
  };
}
