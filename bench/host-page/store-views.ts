import { createClient } from '@libsql/client';
import { createConnection } from 'mariadb';
import type { ScratchDatabase } from './scratch-databases.ts';

export const LARGE = { hostId: 'large-host', bookings: 10_000 };
export const SMALL = { hostId: 'small-host', bookings: 10 };
/** Bookings of each of the other hosts. */
const OTHERS = 100;

/** The parts of the statements that the engines write differently. */
interface Dialect {
  /** Rows `n` from 1 to `count`. */
  series: string;
  /** The instant of the hour, counted from 1 January 2030, in the form in which mypage stores it. */
  instant: (hours: string) => string;
  concat: (...parts: string[]) => string;
  hex: (number: string) => string;
}

/** Stores REGISTERED bookings with their timelines: of a large host, of a small one, and of many others. */
export async function storeViews({ engine, url }: ScratchDatabase, count: number): Promise<void> {
  if (engine === 'SQLite') {
    const client = createClient({ url });
    await client.execute('PRAGMA cache_size = -262144');
    await client.execute('PRAGMA synchronous = OFF');
    for (const statement of inserts(sqlite(count), count)) await client.execute(statement);
    await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    client.close();
    return;
  }
  const connection = await createConnection(url.replace(/^mysql:/, 'mariadb:'));
  for (const statement of inserts(mariaDb(count), count)) await connection.query(statement);
  // By itself the server would do it a while later.
  await connection.query('ANALYZE TABLE booking_status_view, status_change');
  await connection.end();
}

function inserts({ series, instant, concat, hex }: Dialect, count: number): string[] {
  const bookingId = concat("'01900000-0000-7000-8000-'", hex('n'));
  const space = concat("'01900000-0000-7000-9000-'", hex(`n % ${count / OTHERS}`));
  // The bookings of each host are spread over all that are stored, and over time.
  const host = `CASE WHEN n % ${count / LARGE.bookings} = 0 THEN '${LARGE.hostId}'
                     WHEN n % ${count / SMALL.bookings} = 1 THEN '${SMALL.hostId}'
                     ELSE ${concat("'host-'", `n % ${count / OTHERS}`)} END`;
  const startAt = `n * 7 % 8760`;
  return [
    `INSERT INTO booking_status_view (generation, booking_id, customer_id, status, space_name, start_at,
            end_at, price_amount, currency, payment_status, refunded, registration_status, booking_version,
            payment_version, registration_version, version, updated_at, space_id, host_id, headcount,
            requested_at, charged_amount)
     SELECT 1, ${bookingId}, ${concat("'customer-'", 'n % 5000')}, 'REGISTERED', 'Room', ${instant(startAt)},
            ${instant(`${startAt} + 1`)}, 20000, 'KRW', 'APPROVED', 0, 'REGISTERED', 3, 2, 1, 5,
            ${instant('0')}, ${space}, ${host}, 2, ${instant('0')}, 20000
       FROM ${series}`,
    ...['REQUESTED', 'PAID', 'REGISTERED'].map(
      (status, index) =>
        `INSERT INTO status_change (generation, booking_id, booking_version, status, at)
         SELECT 1, ${bookingId}, ${index + 1}, '${status}', ${instant('0')} FROM ${series}`,
    ),
  ];
}

function sqlite(count: number): Dialect {
  return {
    series: `(WITH RECURSIVE series (n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < ${count})
              SELECT n FROM series)`,
    instant: (hours) =>
      `strftime('%Y-%m-%dT%H:%M:%S.000+00:00', '2030-01-01', '+' || (${hours}) || ' hours')`,
    concat: (...parts) => parts.map((part) => `(${part})`).join(' || '),
    hex: (number) => `printf('%012x', ${number})`,
  };
}

function mariaDb(count: number): Dialect {
  return {
    series: `(SELECT seq AS n FROM seq_1_to_${count}) AS series`,
    instant: (hours) => `TIMESTAMP '2030-01-01 00:00:00' + INTERVAL (${hours}) HOUR`,
    concat: (...parts) => `CONCAT(${parts.join(', ')})`,
    hex: (number) => `LPAD(LOWER(HEX(${number})), 12, '0')`,
  };
}
