import type { Prisma } from '#prisma/mypage/generated/sqlite/client.ts';
import { findNewest, type SpaceEvent, type SpaceView, toSpaceView } from '../space-view.ts';
import { placeholders } from './raw-rows.ts';

type SpaceRow = Prisma.SpaceViewGetPayload<{ omit: { generation: true } }>;

/**
 * Stores the newest state of each space in one generation, and the host in the views of bookings that were
 * projected before any event named the host: the order of events does not matter. A rebuild projects a
 * hundred spaces at once, so all new ones are one statement.
 */
export async function projectSpaces(
  tx: Prisma.TransactionClient,
  generation: number,
  events: readonly SpaceEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const spaces = findNewest(events).map(toSpaceView);
  const ids = spaces.map(({ spaceId }) => spaceId);
  const rows = await tx.spaceView.findMany({
    where: { generation, spaceId: { in: ids } },
    select: { spaceId: true },
  });
  const stored = new Set(rows.map(({ spaceId }) => spaceId));
  const added = spaces.filter(({ spaceId }) => !stored.has(spaceId));
  // A concurrent writer of the same space fails on the key, and is run again.
  if (added.length > 0) {
    await tx.spaceView.createMany({ data: added.map((space) => ({ generation, ...space })) });
  }
  for (const space of spaces) {
    if (!stored.has(space.spaceId)) continue;
    const { spaceId, version, ...rest } = space;
    await tx.spaceView.updateMany({
      where: { generation, spaceId, version: { lt: version } },
      data: { ...rest, version },
    });
  }
  await fillHosts(tx, generation, ids);
}

/**
 * A space's host never changes, so any of its events says who it is. One statement, which reads what is
 * committed: a query before it would miss views that were committed since the transaction began.
 */
async function fillHosts(
  tx: Prisma.TransactionClient,
  generation: number,
  spaceIds: readonly string[],
): Promise<void> {
  const fill = (table: 'booking_status_view' | 'view_version') =>
    tx.$executeRawUnsafe(
      `UPDATE ${table}
          SET host_id = (SELECT s.host_id FROM space_view s
                          WHERE s.generation = ${table}.generation AND s.space_id = ${table}.space_id)
        WHERE generation = ? AND space_id IN (${placeholders(spaceIds.length)})
          AND host_id IS NULL`,
      generation,
      ...spaceIds,
    );
  // Versions have no index for it, because it is rare, and they are kept for minutes only.
  if ((await fill('booking_status_view')) > 0) await fill('view_version');
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
