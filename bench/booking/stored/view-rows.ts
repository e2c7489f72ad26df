import { createClient } from '@libsql/client';
import { HOURLY_RATE } from '../../system/spaces.ts';
import { type IdKind, idKinds, STORED_CUSTOMERS, type StoredBookings } from './stored-bookings.ts';

/** What a view stores for a booking with this status. */
const VIEW_STATES = {
  PAID: { registration: 'NULL', versions: '2, 2, 0, 3', events: ['booked', 'paid', 'approved'] },
  REGISTERED: {
    registration: "'REGISTERED'",
    versions: '3, 2, 1, 5',
    events: ['booked', 'paid', 'confirmed', 'approved', 'registered'],
  },
} as const;

/** Mypage's part, on SQLite: views, the changes of their status, and the events that led to them. */
export async function storeViews(
  url: string,
  { count, spaceIds, middle, now }: StoredBookings,
  status: keyof typeof VIEW_STATES = 'REGISTERED',
): Promise<void> {
  const { registration, versions, events } = VIEW_STATES[status];
  const client = createClient({ url });
  try {
    await client.execute('PRAGMA cache_size = -262144');
    await client.execute('PRAGMA busy_timeout = 10000');
    // For this connection only: mypage's own commits stay durable.
    await client.execute('PRAGMA synchronous = OFF');
    await client.execute('PRAGMA temp_store = MEMORY');
    await client.execute('BEGIN IMMEDIATE');
    await client.execute({
      sql: `CREATE TEMP TABLE stored AS
            WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :count)
            SELECT n, :now - (:count - n) * 30000 AS requested_ms,
                   :middle + (n / :spaces - :count / :spaces / 2) * 7200000 AS start_ms
              FROM series`,
      // As bigints: the driver binds numbers as reals, and SQLite divides those without truncation.
      args: {
        count: BigInt(count),
        spaces: BigInt(spaceIds.length),
        middle: BigInt(middle.getTime()),
        now: BigInt(now.getTime()),
      },
    });
    await client.execute(`
      INSERT INTO booking_status_view (generation, booking_id, customer_id, status, space_name, start_at,
             end_at, price_amount, currency, payment_status, refunded, registration_status,
             booking_version, payment_version, registration_version, version, updated_at)
      SELECT 1, ${idExpression('booking')}, 'customer-' || (n % ${STORED_CUSTOMERS}), '${status}', 'Room',
             ${instant('start_ms')}, ${instant('start_ms + 3600000')}, ${HOURLY_RATE}, 'KRW',
             'APPROVED', 0, ${registration}, ${versions}, ${instant('requested_ms')}
        FROM stored`);
    await client.execute(`
      INSERT INTO status_change (generation, booking_id, booking_version, status, at)
      SELECT 1, ${idExpression('booking')}, column1, column2, ${instant('requested_ms')}
        FROM stored, (VALUES (1, 'REQUESTED'), (2, 'PAID'), (3, 'REGISTERED'))
       WHERE ${status === 'REGISTERED'} OR column1 < 3`);
    for (const event of events) {
      await client.execute(`
        INSERT INTO inbox (generation, event_id, received_at)
        SELECT 1, ${idExpression(event)}, ${instant('requested_ms')} FROM stored`);
    }
    await client.execute('COMMIT');
    await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    client.close();
  }
}

/** The same ids as in PostgreSQL: a UUIDv7 of the request's time, the kind and the number. */
function idExpression(kind: IdKind): string {
  const time = `printf('%012x', requested_ms)`;
  const number = `printf('%015x', n)`;
  const kindDigits = idKinds[kind].toString(16).padStart(3, '0');
  return `substr(${time}, 1, 8) || '-' || substr(${time}, 9) || '-7${kindDigits}-8' ||
          substr(${number}, 1, 3) || '-' || substr(${number}, 4)`;
}

/** As Prisma's adapter writes it. */
function instant(ms: string): string {
  return `strftime('%Y-%m-%dT%H:%M:%S', (${ms}) / 1000, 'unixepoch') ||
          printf('.%03d+00:00', (${ms}) % 1000)`;
}
