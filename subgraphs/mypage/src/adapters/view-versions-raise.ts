import type { Prisma } from '#prisma/mypage/generated/sqlite/client.ts';
import { ViewConflict } from './view-projection.ts';

/**
 * Raises the versions of a generation's views above those of the live one, so that a subscriber never sees
 * a view change without a higher version. The raised version is kept as any other: subscribers get it once
 * the generation is live. Events that projectors write to both generations meanwhile raise both alike.
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
  const ofBookings = { bookingId: { in: [...bookingIds] } };
  const liveViews = await tx.bookingStatusView.findMany({
    where: { generation: live, ...ofBookings },
    select: { bookingId: true, version: true },
  });
  const versions = new Map(liveViews.map(({ bookingId, version }) => [bookingId, version]));
  const views = await tx.bookingStatusView.findMany({ where: { generation, ...ofBookings } });
  for (const view of views) {
    const { bookingId, version } = view;
    const liveVersion = versions.get(bookingId);
    if (liveVersion === undefined || version > liveVersion) continue;
    if (where === 'lower' && version === liveVersion) continue;
    const raised = where === 'lower' ? liveVersion : liveVersion + 1;
    const { count } = await tx.bookingStatusView.updateMany({
      where: { generation, bookingId, version },
      data: { version: raised },
    });
    if (count === 0) throw new ViewConflict('another writer changed a view meanwhile');
    await tx.viewVersion.create({ data: { ...view, version: raised, projectedAt: now } });
  }
}
