import { openViewDatabase } from '../../../subgraphs/mypage/src/adapters/view-database.ts';

/** Events that mypage has parked, whatever an operator did about them. */
export async function parkedByViews(viewsUrl: string): Promise<string[]> {
  const prisma = await openViewDatabase(viewsUrl);
  try {
    const parked = await prisma.deadLetter.findMany({ where: { state: { not: 'FAILING' } } });
    return parked.map(({ event, error }) => `${JSON.stringify(event)}: ${error}`);
  } finally {
    await prisma.$disconnect();
  }
}
