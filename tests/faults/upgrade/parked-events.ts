import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';

/** Describes the events that mypage has parked, also those replayed or discarded since. */
export async function findParkedEvents(viewsUrl: string): Promise<string[]> {
  const prisma = await openViewDatabase(viewsUrl);
  try {
    const parked = await prisma.deadLetter.findMany({ where: { state: { not: 'FAILING' } } });
    return parked.map(({ event, error }) => `${JSON.stringify(event)}: ${error}`);
  } finally {
    await prisma.$disconnect();
  }
}
