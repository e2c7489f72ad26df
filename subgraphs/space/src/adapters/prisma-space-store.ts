import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { insertAuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { PrismaClient } from '#prisma/space/generated/client.ts';
import type { Space } from '../domain/space.ts';
import type { ActingPrincipal, SpaceStore } from '../ports.ts';
import { storeOccupancy } from './occupied-slots.ts';
import { toSpaceEvent } from './space-events.ts';
import {
  CHANGEABLE_COLUMNS,
  CHANGEABLE_VALUES,
  type RowOf,
  toChangeableValues,
  toSpace,
} from './space-rows.ts';
import { searchSpaces } from './space-search.ts';
import { termReader } from './term-reader.ts';

type ChangeableName = keyof ReturnType<typeof toChangeableValues>;

const insertSpace = namedStatement<
  Record<string, never>,
  | ChangeableName
  | ('id' | 'hostId' | 'timeZone' | 'currency' | 'listedAt')
  | ('events' | 'auditEntry')
>(
  'space-list',
  `WITH listed AS (
     INSERT INTO space (id, host_id, time_zone, currency, listed_at, ${CHANGEABLE_COLUMNS})
     VALUES (:id::uuid, :hostId, :timeZone, :currency::currency, :listedAt, ${CHANGEABLE_VALUES})
  RETURNING id),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM listed)')})
   ${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM listed)')}`,
);

// Of concurrent changes of one version the first wins; the others wait for its row and find a newer one.
const updateSpace = namedStatement<
  { saved: boolean },
  ChangeableName | 'id' | 'events' | 'auditEntry'
>(
  'space-update',
  `WITH changed AS (
     UPDATE space SET (${CHANGEABLE_COLUMNS}) = ROW (${CHANGEABLE_VALUES})
      WHERE id = :id::uuid AND version = :version::int - 1
  RETURNING id),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM changed)')}),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

/** The catalogue in PostgreSQL; tables and constraints are Prisma's migrations in prisma/space. */
export function prismaSpaceStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): SpaceStore {
  return {
    // Prisma batches the look-ups of one tick: a list of spaces costs one query.
    async find(id) {
      const row = await prisma.space.findUnique({ where: { id }, omit: { amenityKeys: true } });
      // Prisma's type of JSON columns knows no interfaces and no readonly lists.
      return row && toSpace(row as unknown as RowOf<Space>);
    },

    search: (search, page) => searchSpaces(pool, search, page),

    findTerm: termReader(pool),

    async list(space, by) {
      const event = toSpaceEvent('SpaceListed', space, space.listedAt);
      const { id, hostId, name, timeZone, hourlyRate, currency, listedAt } = space;
      const details = { name, hourlyRate: { amount: hourlyRate, currency } };
      await insertSpace(pool, {
        ...toChangeableValues(space),
        ...{ id, hostId, timeZone, currency, listedAt },
        events: JSON.stringify([event]),
        auditEntry: toAuditEntry('listSpace', space, by, details),
      });
      relay.publish([event]);
    },

    async save(space, changed, by) {
      const event = toSpaceEvent('SpaceChanged', space, new Date());
      const [row] = await updateSpace(pool, {
        ...toChangeableValues(space),
        id: space.id,
        events: JSON.stringify([event]),
        auditEntry: toAuditEntry('updateSpace', space, by, { changed, version: space.version }),
      });
      if (!row?.saved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },

    storeOccupancy: (occupancy, eventId) => storeOccupancy(pool, occupancy, eventId),
  };
}

function toAuditEntry(
  action: 'listSpace' | 'updateSpace',
  space: Space,
  by: ActingPrincipal,
  details: Record<string, unknown>,
): string {
  const { userId, role } = by;
  const subject = { subjectType: 'space', subjectId: space.id };
  return JSON.stringify(newAuditEntry({ userId, actedAs: role, action, ...subject, details }));
}
