import type { Prisma } from '#prisma/mypage/generated/sqlite/client.ts';
import { findNewest, type SpaceEvent, type SpaceView, toSpaceView } from '../space-view.ts';
import { placeholders } from './raw-rows.ts';

type SpaceRow = Prisma.SpaceViewGetPayload<{ omit: { generation: true } }>;

/**
 * Stores the newest state of each space in one generation, and the host in the views of bookings that were
 * projected before any event named the host: the order of events does not matter.
 */
export async function projectSpaces(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly SpaceEvent[],
): Promise<void> {
  for (const event of findNewest(events)) {
    const { spaceId, version, ...rest } = toSpaceView(event);
    const data = { ...rest, version };
    const key = { generation, spaceId };
    const { count } = await tx.spaceView.updateMany({
      where: { ...key, version: { lt: version } },
      data,
    });
    if (count === 0) {
      const stored = await tx.spaceView.findUnique({ where: { generation_spaceId: key } });
      // A concurrent writer of the same space fails on the key, and is run again.
      if (!stored) await tx.spaceView.create({ data: { ...key, ...data } });
    }
    await fillHosts(tx, key, rest.hostId);
  }
}

/** A space's host never changes, so any of its events says who it is. */
async function fillHosts(
  tx: Prisma.TransactionClient,
  space: { generation: number; spaceId: string },
  hostId: string,
): Promise<void> {
  const where = { ...space, hostId: null };
  const { count } = await tx.bookingStatusView.updateMany({ where, data: { hostId } });
  // Without an index, because it is rare, and versions are kept for minutes only.
  if (count > 0) await tx.viewVersion.updateMany({ where, data: { hostId } });
}

/** The hosts of the spaces that the generation has. */
export async function findHosts(
  tx: Prisma.TransactionClient,
  generation: number,
  spaceIds: readonly string[],
): Promise<Map<string, string>> {
  if (spaceIds.length === 0) return new Map();
  // MariaDB runs the comment. Without its locks the space could be stored between this query and the commit
  // of the views, which would never get their host. SQLite has one writer.
  const rows = await tx.$queryRawUnsafe<{ spaceId: string; hostId: string }[]>(
    `SELECT space_id AS spaceId, host_id AS hostId FROM space_view
      WHERE generation = ? AND space_id IN (${placeholders(spaceIds.length)})
      /*! LOCK IN SHARE MODE */`,
    generation,
    ...spaceIds,
  );
  return new Map(rows.map(({ spaceId, hostId }) => [spaceId, hostId]));
}

/** The columns are JSON that {@link projectSpaces} wrote. */
export function fromSpaceRow(row: SpaceRow): SpaceView {
  return row as unknown as SpaceView;
}
