import { namedStatement } from '#platform/database/named-statement.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import {
  HOLDS_PAID,
  type OccupancyName,
  UPSERT_OCCUPANCY,
} from '../../../../subgraphs/space/src/adapters/occupied-slots.ts';

/*
 * Copied by hand from the adapters of space; the report compares the rows that both write, so a copy that is out of
 * date shows.
 */

export const occupySlot = namedStatement<Record<string, never>, OccupancyName | 'eventId'>(
  'space-occupy',
  `WITH processed AS (
     INSERT INTO inbox (event_id) VALUES (:eventId::uuid) ON CONFLICT DO NOTHING)
   ${UPSERT_OCCUPANCY}`,
);

export const insertRegistration = namedStatement<
  { inserted: boolean },
  OccupancyName | 'id' | 'now' | 'eventId' | 'events'
>(
  'registration-insert',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING *),
   inserted AS (
     INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            version, registered_at)
     SELECT :id::uuid, booking_id, payment_id, space_id, start_at, end_at, 'REGISTERED', 1,
            :now::timestamptz
       FROM joined
      WHERE ${HOLDS_PAID} AND payment_id IS NOT NULL
        AND EXISTS (SELECT FROM space WHERE id = joined.space_id)
     ON CONFLICT DO NOTHING
  RETURNING id),
   processed AS (INSERT INTO inbox (event_id) VALUES (:eventId::uuid) ON CONFLICT DO NOTHING),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM inserted)')})
   SELECT EXISTS (SELECT FROM inserted) AS inserted`,
);
