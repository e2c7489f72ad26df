import { statement } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import {
  HOLDS_PAID,
  UPSERT_OCCUPANCY,
} from '../../../../subgraphs/space/src/adapters/occupied-slots.ts';

/*
 * Copied by hand from the adapters of space; the report compares the rows that both write, so a copy that is out of
 * date shows.
 */

export const occupySlot = statement(
  'space-occupy',
  `WITH processed AS (
     INSERT INTO inbox (event_id) VALUES ($9::uuid) ON CONFLICT DO NOTHING)
   ${UPSERT_OCCUPANCY}`,
);

export const insertRegistration = statement<{ inserted: boolean }>(
  'registration-insert',
  `WITH joined AS (${UPSERT_OCCUPANCY} RETURNING *),
   inserted AS (
     INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            version, registered_at)
     SELECT $9::uuid, booking_id, payment_id, space_id, start_at, end_at, 'REGISTERED', 1,
            $10::timestamptz
       FROM joined
      WHERE ${HOLDS_PAID} AND payment_id IS NOT NULL
        AND EXISTS (SELECT FROM space WHERE id = joined.space_id)
     ON CONFLICT DO NOTHING
  RETURNING id),
   processed AS (INSERT INTO inbox (event_id) VALUES ($11::uuid) ON CONFLICT DO NOTHING),
   published AS (${insertOutbox('$12', 'EXISTS (SELECT FROM inserted)')})
   SELECT EXISTS (SELECT FROM inserted) AS inserted`,
);
