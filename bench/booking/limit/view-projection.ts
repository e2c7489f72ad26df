import { setTimeout as wait } from 'node:timers/promises';
import { type Client, createClient, type InValue, type Row } from '@libsql/client';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
  toStatusChange,
} from '../../../subgraphs/mypage/src/booking-status-view.ts';

const columns = {
  booking_id: 'bookingId',
  customer_id: 'customerId',
  status: 'status',
  space_name: 'spaceName',
  start_at: 'startAt',
  end_at: 'endAt',
  price_amount: 'priceAmount',
  currency: 'currency',
  payment_status: 'paymentStatus',
  refunded: 'refunded',
  registration_status: 'registrationStatus',
  booking_version: 'bookingVersion',
  payment_version: 'paymentVersion',
  registration_version: 'registrationVersion',
  version: 'version',
  updated_at: 'updatedAt',
  space_id: 'spaceId',
  host_id: 'hostId',
  headcount: 'headcount',
  note: 'note',
  requested_at: 'requestedAt',
  decide_before: 'decideBefore',
  charged_amount: 'chargedAmount',
} as const satisfies Record<string, keyof BookingStatusView>;
const columnNames = Object.keys(columns) as (keyof typeof columns)[];
/** The generation that a new database begins with. */
const LIVE = 1;
const MAX_GROUP_SIZE = 200;
/** How long events are collected into a group; throughput is lower with 8 ms and with 50 ms. */
const GROUP_MS = 20;

export interface Views {
  /** Projects an event; resolves when its group is committed. */
  project(event: ProjectedEvent): Promise<void>;
  /** The given ids that are in the inbox. */
  findRecorded(ids: readonly string[]): Promise<string[]>;
  close(): void;
}

/** Runs mypage's SQL with mypage's SQLite driver, in groups of one commit each as mypage does. */
export async function openViews(url: string): Promise<Views> {
  const client = createClient({ url });
  await client.execute('PRAGMA journal_mode = WAL');
  await client.execute('PRAGMA synchronous = FULL');

  async function findRecorded(ids: readonly string[]): Promise<string[]> {
    const { rows } = await client.execute({
      sql: `SELECT event_id FROM inbox
             WHERE generation = ${LIVE} AND event_id IN (SELECT value FROM json_each(?))`,
      args: [JSON.stringify(ids)],
    });
    return rows.map((row) => String(row.event_id));
  }

  let waiting: { event: ProjectedEvent; completion: Completion }[] = [];
  let writing = false;

  async function writeGroups(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      await wait(GROUP_MS);
      const group = waiting.slice(0, MAX_GROUP_SIZE);
      waiting = waiting.slice(MAX_GROUP_SIZE);
      try {
        await writeGroup(group.map(({ event }) => event));
        for (const { completion } of group) completion.resolve();
      } catch (error) {
        for (const { completion } of group) completion.reject(error);
      }
    }
    writing = false;
  }

  async function writeGroup(events: readonly ProjectedEvent[]): Promise<void> {
    await client.execute('BEGIN');
    try {
      await projectAll(client, events, findRecorded);
      await client.execute('COMMIT');
    } catch (error) {
      await client.execute('ROLLBACK');
      throw error;
    }
  }

  return {
    project: (event) =>
      new Promise((resolve, reject) => {
        waiting.push({ event, completion: { resolve, reject } });
        if (!writing) void writeGroups();
      }),
    findRecorded,
    close: () => client.close(),
  };
}

interface Completion {
  resolve: () => void;
  reject: (reason: unknown) => void;
}

async function projectAll(
  client: Client,
  events: readonly ProjectedEvent[],
  findRecorded: Views['findRecorded'],
): Promise<void> {
  const recorded = new Set(await findRecorded(events.map(({ id }) => id)));
  const fresh = events.filter(({ id }) => !recorded.has(id));
  const now = toText(new Date());
  await insertMany(
    client,
    'INSERT INTO inbox (generation, event_id, received_at) VALUES',
    fresh.map(({ id }) => [LIVE, id, now]),
  );

  const { rows } = await client.execute({
    sql: `SELECT ${columnNames.join(', ')} FROM booking_status_view
           WHERE generation = ${LIVE} AND booking_id IN (SELECT value FROM json_each(?))`,
    args: [JSON.stringify([...new Set(fresh.map(({ payload }) => payload.bookingId))])],
  });
  const before = new Map(rows.map((row) => [String(row.booking_id), toView(row)]));
  const after = new Map(before);
  for (const event of fresh) {
    const { bookingId } = event.payload;
    after.set(bookingId, project(after.get(bookingId) ?? null, event));
  }
  if (before.size > 0) {
    const replaced = [...before.values()];
    await client.execute({
      sql: `DELETE FROM booking_status_view
             WHERE ${replaced
               .map(() => `(generation = ${LIVE} AND booking_id = ? AND version = ?)`)
               .join(' OR ')}`,
      args: replaced.flatMap(({ bookingId, version }) => [bookingId, version]),
    });
  }
  await insertMany(
    client,
    `INSERT INTO booking_status_view (generation, ${columnNames.join(', ')}) VALUES`,
    [...after.values()].map((view) => [
      LIVE,
      ...columnNames.map((name) => toText(view[columns[name]])),
    ]),
  );
  await insertMany(
    client,
    'INSERT INTO status_change (generation, booking_id, booking_version, status, at) VALUES',
    fresh
      .map(toStatusChange)
      .filter((change) => change !== null)
      .map((change) => [
        LIVE,
        change.bookingId,
        change.bookingVersion,
        change.status,
        toText(change.at),
      ]),
  );
}

async function insertMany(client: Client, insert: string, rows: InValue[][]): Promise<void> {
  if (rows.length === 0) return;
  const places = rows.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
  await client.execute({ sql: `${insert} ${places}`, args: rows.flat() });
}

function toView(row: Row): BookingStatusView {
  const entries = columnNames.map((name) => {
    const value = row[name];
    return [columns[name], /_(at|before)$/.test(name) && value ? new Date(String(value)) : value];
  });
  return Object.fromEntries(entries) as BookingStatusView;
}

/** As Prisma's adapter writes them. */
function toText(value: string | number | Date | null): string | number | null {
  return value instanceof Date ? value.toISOString().replace('Z', '+00:00') : value;
}
