import { namedStatement } from '#platform/database/named-statement.ts';
import { inTransaction, type Pool, statement } from '#platform/database/postgres.ts';
import { firstIdAt } from '#platform/messaging/archive.ts';
import type { ReconciliationStore } from '../application/reconcile.ts';
import type { BookingRecord, Violation } from '../domain/consistency.ts';

/**
 * Renewed with each page. Where a page takes longer, two replicas compare it, which does no harm; a
 * replica that dies delays the others for this long.
 */
const LEASE_SECONDS = 30;
/** Where a source starts: older events were compared, or precede the reconciliation. */
const FIRST_ROUND_MS = 24 * 3_600_000;
const MAX_OPEN_VIOLATIONS = 500;

const leaseSource = statement<{ eventId: string }>(
  'reconciliation-lease',
  `INSERT INTO reconciliation_source AS known (source, event_id, leased_until)
   VALUES ($1, $2::uuid, now() + interval '${LEASE_SECONDS} seconds')
   ON CONFLICT (source) DO UPDATE SET leased_until = excluded.leased_until
     WHERE known.leased_until <= now()
RETURNING event_id AS "eventId"`,
);

const advanceSource = namedStatement<
  Record<string, never>,
  'source' | 'eventId' | 'isCaughtUp' | 'intervalSeconds'
>(
  'reconciliation-advance',
  `UPDATE reconciliation_source
      SET event_id = :eventId::uuid,
          leased_until = now() + interval '1 second'
            * CASE WHEN :isCaughtUp::boolean THEN :intervalSeconds::float ELSE ${LEASE_SECONDS} END,
          caught_up_at = CASE WHEN :isCaughtUp::boolean THEN now() ELSE caught_up_at END
    WHERE source = :source`,
);

const releaseSource = statement(
  'reconciliation-release',
  `UPDATE reconciliation_source SET leased_until = now() + interval '1 second' * $2::float
    WHERE source = $1`,
);

const bookingsById = statement<BookingRecord>(
  'reconciliation-bookings',
  `SELECT id, status, space_id AS "spaceId", start_at AS "startAt", end_at AS "endAt",
          price_amount AS price, refund_amount AS refund,
          (SELECT count(*)::int FROM slot_hold h
             JOIN slot_hold o ON o.space_id = h.space_id AND o.live AND o.owner_id <> h.owner_id
              AND tstzrange(o.start_at, o.end_at, '[)') && tstzrange(h.start_at, h.end_at, '[)')
            WHERE h.booking_id = b.id AND h.live) AS overlaps,
          b.status = 'REGISTERED' AND b.change_id IS NOT NULL
            OR EXISTS (SELECT FROM outbox e
                        WHERE e.aggregate_id = b.id AND e.awaiting <> '{}') AS "isPassing"
     FROM booking b WHERE id = ANY($1::uuid[])`,
);

const openViolations = statement<{ bookingId: string }>(
  'reconciliation-open',
  `SELECT DISTINCT booking_id AS "bookingId" FROM invariant_violation
    ORDER BY booking_id LIMIT ${MAX_OPEN_VIOLATIONS}`,
);

const removeResolved = statement(
  'reconciliation-resolve',
  `DELETE FROM invariant_violation
    WHERE booking_id = ANY($1::uuid[])
      AND booking_id || '/' || invariant <> ALL($2::text[])`,
);

const insertViolations = statement<Violation>(
  'reconciliation-record',
  `INSERT INTO invariant_violation (booking_id, invariant, detail)
   SELECT "bookingId", invariant, detail
     FROM jsonb_to_recordset($1::jsonb) AS v ("bookingId" uuid, invariant text, detail text)
   ON CONFLICT (booking_id, invariant) DO NOTHING
RETURNING booking_id AS "bookingId", invariant, detail`,
);

const countByInvariant = statement<{ invariant: string; count: number }>(
  'reconciliation-count',
  'SELECT invariant, count(*)::int AS count FROM invariant_violation GROUP BY invariant',
);

const ages = statement<{ source: string; seconds: number }>(
  'reconciliation-ages',
  `SELECT source, extract(epoch FROM now() - caught_up_at)::float AS seconds
     FROM reconciliation_source`,
);

/** Adds what the metrics need to the store that the use case works with. */
export interface PostgresReconciliationStore extends ReconciliationStore {
  openByInvariant(): Promise<{ invariant: string; count: number }[]>;
  /** Seconds since each source's events were last compared up to the present. */
  ages(): Promise<{ source: string; seconds: number }[]>;
}

/** A source that is caught up is due again after `intervalSeconds`, on one replica. */
export function postgresReconciliationStore(
  pool: Pool,
  intervalSeconds: number,
): PostgresReconciliationStore {
  return {
    async lease(source) {
      const [row] = await leaseSource(pool, source, firstIdAt(Date.now() - FIRST_ROUND_MS));
      return row?.eventId ?? null;
    },
    advance: async (source, eventId, isCaughtUp) =>
      void (await advanceSource(pool, { source, eventId, isCaughtUp, intervalSeconds })),
    release: async (source) => void (await releaseSource(pool, source, intervalSeconds)),
    bookings: (ids) => bookingsById(pool, [...ids]),
    openViolations: async () => (await openViolations(pool)).map(({ bookingId }) => bookingId),
    record: (bookingIds, violations) =>
      inTransaction(pool, async (db) => {
        const open = violations.map(({ bookingId, invariant }) => `${bookingId}/${invariant}`);
        await removeResolved(db, [...bookingIds], open);
        // One booking breaks an invariant once, however many comparisons say so.
        const first = new Map(
          violations.map((each) => [`${each.bookingId}/${each.invariant}`, each]),
        );
        return insertViolations(db, JSON.stringify([...first.values()]));
      }),
    openByInvariant: () => countByInvariant(pool),
    ages: () => ages(pool),
  };
}
