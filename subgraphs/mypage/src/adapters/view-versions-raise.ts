import type { Prisma } from '#prisma/mypage/generated/sqlite/client.ts';
import { ViewConflict } from './view-projection.ts';

/**
 * Raises the versions of a generation's views above those of the live one, so that a subscriber never sees
 * a view change without its version rising. The raised version is kept, for it is a change as any other:
 * subscribers are pushed it once the generation is live. Events that projectors write to both generations
 * meanwhile raise both alike.
 */
export async function raiseVersions(
  tx: Prisma.TransactionClient,
  {
    generation,
    live,
    bookingIds,
    where,
    now,
  }: {
    generation: number;
    live: number;
    bookingIds: readonly string[];
    /** `lower`: only views with a lower version than the live one's, and up to that one. */
    where: 'lower' | 'not higher';
    now: Date;
  },
): Promise<void> {
  const of = { bookingId: { in: [...bookingIds] } };
  const shown = await tx.bookingStatusView.findMany({
    where: { generation: live, ...of },
    select: { bookingId: true, version: true },
  });
  const versions = new Map(shown.map(({ bookingId, version }) => [bookingId, version]));
  const views = await tx.bookingStatusView.findMany({ where: { generation, ...of } });
  for (const view of views) {
    const { bookingId, version } = view;
    const known = versions.get(bookingId);
    if (known === undefined || version > known) continue;
    if (where === 'lower' && version === known) continue;
    const raised = where === 'lower' ? known : known + 1;
    const { count } = await tx.bookingStatusView.updateMany({
      where: { generation, bookingId, version },
      data: { version: raised },
    });
    if (count === 0) throw new ViewConflict('another writer changed a view meanwhile');
    await tx.viewVersion.create({ data: { ...view, version: raised, projectedAt: now } });
  }
}
