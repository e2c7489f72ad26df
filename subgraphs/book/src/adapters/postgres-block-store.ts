import { blockEvents } from '#contracts/book.ts';
import { namedStatement } from '#platform/database/named-statement.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { insertAuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { Block } from '../domain/block.ts';
import type { ActingPrincipal, BlockStore } from '../ports.ts';
import { writeHold } from './stale-holds.ts';

type BlockRow = Omit<Block, 'slot'> & { startAt: Date; endAt: Date };

const COLUMNS = `id, space_id AS "spaceId", host_id AS "hostId", start_at AS "startAt", end_at AS "endAt",
  reason, created_by AS "createdBy", idempotency_key AS "idempotencyKey", removed_at AS "removedAt"`;

// The lock makes concurrent blocks of a space wait for one another, so that their number is right. A used
// key skips the hold; of two requests with one key at once, the later one violates the unique key.
const insertBlock = namedStatement<
  { blocks: number; isInserted: boolean },
  keyof BlockRow | 'maxBlocks' | 'events' | 'auditEntry'
>(
  'block-insert',
  `WITH space AS MATERIALIZED (
     SELECT block_count(:spaceId::uuid) AS blocks,
            EXISTS (SELECT FROM block
                     WHERE created_by = :createdBy AND idempotency_key = :idempotencyKey) AS is_used),
   held AS (
     INSERT INTO slot_hold (space_id, owner_id, block_id, start_at, end_at, live)
     SELECT :spaceId::uuid, :id::uuid, :id::uuid, :startAt::timestamptz, :endAt::timestamptz, TRUE
       FROM space WHERE blocks < :maxBlocks::int AND NOT is_used
     ON CONFLICT DO NOTHING
  RETURNING owner_id),
   inserted AS (
     INSERT INTO block (id, space_id, host_id, start_at, end_at, reason, created_by, idempotency_key,
            version, removed_at)
     SELECT owner_id, :spaceId::uuid, :hostId, :startAt::timestamptz, :endAt::timestamptz, :reason,
            :createdBy, :idempotencyKey, 1, :removedAt::timestamptz FROM held
  RETURNING id),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM inserted)')}),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM inserted)')})
   SELECT blocks, EXISTS (SELECT FROM inserted) AS "isInserted" FROM space`,
);

// Before any row lock: a concurrent request has this lock while it waits for a hold that is being released.
const lockBlocks = statement('block-lock', 'SELECT block_count($1::uuid)');

const removeBlock = namedStatement<{ isRemoved: boolean }, 'id' | 'events' | 'auditEntry'>(
  'block-remove',
  `WITH removed AS (
     UPDATE block SET removed_at = now(), version = 2
      WHERE id = :id::uuid AND removed_at IS NULL
  RETURNING id),
   released AS (
     UPDATE slot_hold SET live = FALSE WHERE block_id IN (SELECT id FROM removed) AND live),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM removed)')}),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM removed)')})
   SELECT EXISTS (SELECT FROM removed) AS "isRemoved"`,
);

const findById = statement<BlockRow>(
  'block-by-id',
  `SELECT ${COLUMNS} FROM block WHERE id = $1::uuid`,
);

const findByKey = statement<BlockRow>(
  'block-by-key',
  `SELECT ${COLUMNS} FROM block WHERE created_by = $1 AND idempotency_key = $2`,
);

const listLive = statement<BlockRow>(
  'block-list',
  `SELECT ${COLUMNS} FROM block
    WHERE space_id = $1::uuid AND removed_at IS NULL AND end_at > greatest($2, now())
      AND start_at < $3
    ORDER BY start_at LIMIT $4`,
);

const UNIQUE_VIOLATION = '23505';

/** The blocks of hosts in PostgreSQL; their holds are in the table of all holds. */
export function postgresBlockStore(pool: Pool, relay: Pick<Relay, 'publish'>): BlockStore {
  return {
    async insert(block, maxBlocks, by) {
      const { spaceId, slot } = block;
      const events = [toEvent(block, 'SlotBlocked', 1)];
      const { slot: _, ...columns } = block;
      const values = {
        ...columns,
        ...slot,
        maxBlocks,
        events: JSON.stringify(events),
        auditEntry: JSON.stringify(toAuditEntry(block, by, 'blockSlot')),
      };
      const inserted = await writeHold<{ events: EventRecord[] }, 'too-many' | 'key-used'>(
        pool,
        { spaceId, hold: slot },
        async (db) => {
          const [row] = await insertBlock(db, values).catch(onUsedKey);
          if (!row) return 'key-used';
          if (row.isInserted) return { events };
          return row.blocks >= maxBlocks ? 'too-many' : 'conflict';
        },
        (db) => lockBlocks(db, spaceId),
      );
      if (inserted === 'conflict') return 'overlap';
      if (typeof inserted === 'string') return inserted;
      relay.publish(inserted.events);
      return 'saved';
    },
    find: async (id) => toBlock((await findById(pool, id))[0]),
    findByKey: async (createdBy, key) => toBlock((await findByKey(pool, createdBy, key))[0]),
    async remove(block, by) {
      const events = [toEvent(block, 'SlotUnblocked', 2)];
      const auditEntry = JSON.stringify(toAuditEntry(block, by, 'unblockSlot'));
      const values = { id: block.id, events: JSON.stringify(events), auditEntry };
      const [row] = await removeBlock(pool, values);
      if (row?.isRemoved) relay.publish(events);
      return row?.isRemoved === true;
    },
    list: async (spaceId, from, to, limit) =>
      (await listLive(pool, spaceId, from, to, limit)).map((row) => toBlock(row) as Block),
  };
}

function toBlock(row: BlockRow | undefined): Block | null {
  if (!row) return null;
  const { startAt, endAt, ...rest } = row;
  return { ...rest, slot: { startAt, endAt } };
}

function toEvent(block: Block, type: 'SlotBlocked' | 'SlotUnblocked', version: number) {
  const { id, spaceId, hostId, slot, reason } = block;
  return newEvent(type, blockEvents[type], {
    aggregateId: id,
    version,
    occurredAt: new Date(),
    payload: { blockId: id, spaceId, hostId, slot, reason },
  });
}

function toAuditEntry(block: Block, by: ActingPrincipal, action: 'blockSlot' | 'unblockSlot') {
  const { id, spaceId, slot, reason } = block;
  return newAuditEntry({
    userId: by.userId,
    actedAs: by.role,
    action,
    subjectType: 'block',
    subjectId: id,
    details: {
      spaceId,
      startAt: slot.startAt.toISOString(),
      endAt: slot.endAt.toISOString(),
      reason,
    },
  });
}

/** No row where another request has used the key meanwhile. */
function onUsedKey(error: Error & { code?: string; constraint?: string }): [] {
  if (error.code === UNIQUE_VIOLATION && error.constraint?.startsWith('block_created_by'))
    return [];
  throw error;
}
