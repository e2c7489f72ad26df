import { findConsumers, type Topology, topology } from '#contracts/topology.ts';
import { type Queryable, statement } from '../database/postgres.ts';

const BATCH_SIZE = 1_000;

interface Page {
  events: number;
  last: string | null;
}

const awaitAgain = statement<Page>(
  'outbox-await-again',
  `WITH page AS (
     SELECT id FROM outbox
      WHERE id >= $1::uuid AND id > $5::uuid AND type = ANY($2::text[]) AND $3 <> ALL (awaiting)
      ORDER BY id LIMIT $4 FOR UPDATE),
   due AS (
     UPDATE outbox SET awaiting = array_append(awaiting, $3), attempts = 1, next_attempt_at = now()
      WHERE id IN (SELECT id FROM page)
  RETURNING id)
   SELECT count(*)::int AS events, (SELECT id FROM due ORDER BY id DESC LIMIT 1) AS last FROM due`,
);

const unarchive = statement<Page>(
  'archive-await-again',
  `WITH page AS (
     SELECT id FROM event_archive
      WHERE id >= $1::uuid AND id > $5::uuid AND type = ANY($2::text[])
      ORDER BY id LIMIT $4 FOR UPDATE),
   unarchived AS (
     DELETE FROM event_archive WHERE id IN (SELECT id FROM page) RETURNING *),
   due AS (
     INSERT INTO outbox (id, aggregate_id, version, topic, type, schema_version, payload,
                         correlation_id, occurred_at, awaiting, attempts, next_attempt_at)
     SELECT id, aggregate_id, version, topic, type, schema_version, payload, correlation_id,
            occurred_at, ARRAY[$3], 1, now()
       FROM unarchived
  RETURNING id)
   SELECT count(*)::int AS events, (SELECT id FROM due ORDER BY id DESC LIMIT 1) AS last FROM due`,
);

const NIL = '00000000-0000-0000-0000-000000000000';

/** Which events await a consumer once more, whose database is older than its acknowledgements. */
export interface Redelivery {
  publisher: string;
  consumer: string;
  /** The least id of the events. */
  from: string;
}

/** The position of a page of {@link redeliverPage}. */
export const REDELIVERY_POSITION =
  /^(outbox|archive)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * Makes up to 1,000 events after the position `after` await the consumer. The relay compares each with the
 * consumer's inbox before it sends it, so only those that the consumer has lost are sent. Safe to repeat.
 */
export async function redeliverPage(
  db: Queryable,
  { publisher, consumer, from }: Redelivery,
  after: string | null,
  contexts: Topology = topology,
): Promise<{ events: number; next: string | null }> {
  const types = Object.keys(contexts[publisher]?.publishes ?? {}).filter((type) =>
    findConsumers(type, contexts).includes(consumer),
  );
  // The outbox first: what is archived meanwhile is found in the archive.
  const [, table = 'outbox', id = NIL] = REDELIVERY_POSITION.exec(after ?? '') ?? [];
  const isOutbox = table === 'outbox';
  const step = isOutbox ? awaitAgain : unarchive;
  const [page] = await step(db, from, types, consumer, BATCH_SIZE, id);
  const end = isOutbox ? `archive/${NIL}` : null;
  return { events: page?.events ?? 0, next: page?.last ? `${table}/${page.last}` : end };
}

/** All pages of {@link redeliverPage}; resolves with the number of the events. */
export async function redeliverEvents(
  db: Queryable,
  redelivery: Redelivery,
  contexts?: Topology,
): Promise<number> {
  let total = 0;
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof redeliverPage>> = await redeliverPage(
      db,
      redelivery,
      after,
      contexts,
    );
    total += page.events;
    after = page.next;
  } while (after);
  return total;
}
