import { setTimeout as delay } from 'node:timers/promises';
import { DateTime } from 'luxon';
import { demoSpaces, everyDay } from './demo-spaces.ts';

const BOOK_KNOWS_TIMEOUT_MS = 5_000;
/** So many of the newest spaces are searched for a slot to suggest. */
const SUGGESTED_SPACES = 5;

/** A slot that can be booked, for the example in the banner. */
export type Suggestion = { spaceId: string; spaceName: string; startAt: string; endAt: string };

type OpeningHours = { day: string; opens: string; closes: string };
type Space = {
  id: string;
  name: string;
  timeZone: string;
  openingHours: OpeningHours[];
  state: string;
  bookingMode: string;
};
type Slot = { startAt: string; endAt: string };

/** A development token, which only the embedded profile issues. */
export async function fetchToken(url: string, user: string, role: string): Promise<string> {
  const { token } = await post<{ token: string }>(`${url}/dev/token`, { user, roles: [role] });
  return token;
}

/** Lists the demo spaces if there is no space yet; returns the number of spaces that it listed. */
export async function listDemoSpaces(url: string): Promise<number> {
  if ((await readSpaces(url, 1)).length > 0) return 0;
  const token = await fetchToken(url, 'demo-host', 'host');
  const listSpace = `mutation ($input: ListSpaceInput!) {
    listSpace(input: $input) { __typename ... on Problem { message } }
  }`;
  const inputs = demoSpaces();
  // The catalogue shows the newest first.
  for (const input of inputs.toReversed()) {
    const data = await query<{ listSpace: { __typename: string; message?: string } }>(
      url,
      listSpace,
      { input },
      token,
    );
    if (data.listSpace.message) throw new Error(data.listSpace.message);
  }
  return inputs.length;
}

/** Two free hours the day after tomorrow in one of the first spaces that book at once; undefined when there are none. */
export async function suggestSlot(url: string): Promise<Suggestion | undefined> {
  for (const space of await readSpaces(url, SUGGESTED_SPACES)) {
    if (space.state !== 'ACTIVE' || space.bookingMode !== 'INSTANT') continue;
    // A cancellation within a day of the start refunds nothing, and the README promises to show a refund.
    const day = DateTime.now().setZone(space.timeZone).plus({ days: 2 }).startOf('day');
    const free = (await awaitFreeSlots(url, space.id, day)) ?? openSlots(space, day);
    const start = free.flatMap((slot) => twoHoursIn(slot, day))[0];
    if (start === undefined) continue;
    const [startAt, endAt] = [start, start.plus({ hours: 2 })].map(
      (at) => at.toISO({ suppressMilliseconds: true }) ?? '',
    ) as [string, string];
    return { spaceId: space.id, spaceName: space.name, startAt, endAt };
  }
  return undefined;
}

/** The first full hour from 10 o'clock on that leaves two hours in the slot. */
function twoHoursIn(slot: Slot, day: DateTime): DateTime[] {
  const [opens, closes] = [DateTime.fromISO(slot.startAt), DateTime.fromISO(slot.endAt)];
  const hours = Array.from({ length: 13 }, (_, index) => day.set({ hour: 10 + index }));
  return hours.filter((hour) => hour >= opens && hour.plus({ hours: 2 }) <= closes).slice(0, 1);
}

function openSlots(space: Space, day: DateTime): Slot[] {
  const at = (time: string) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return (hour === 24 ? day.plus({ days: 1 }) : day.set({ hour, minute })).toISO() ?? '';
  };
  return space.openingHours
    .filter((hours) => hours.day === everyDay[day.weekday - 1])
    .map(({ opens, closes }) => ({ startAt: at(opens), endAt: at(closes) }));
}

async function readSpaces(url: string, first: number): Promise<Space[]> {
  const text = `query ($first: Int!) {
    spaces(first: $first) {
      edges { node { id name timeZone state bookingMode openingHours { day opens closes } } }
    }
  }`;
  type Data = { spaces: { edges: { node: Space }[] } };
  const { spaces } = await query<Data>(url, text, { first });
  return spaces.edges.map(({ node }) => node);
}

/** Waits until book has received the event of a new space; before that, it refuses to book it. */
async function awaitFreeSlots(url: string, id: string, day: DateTime): Promise<Slot[] | null> {
  for (const deadline = Date.now() + BOOK_KNOWS_TIMEOUT_MS; ; ) {
    const slots = await readFreeSlots(url, id, day);
    if (slots !== null || Date.now() > deadline) return slots;
    await delay(100);
  }
}

/** Null while book has not received the event of the space yet. */
async function readFreeSlots(url: string, id: string, day: DateTime): Promise<Slot[] | null> {
  const text = `query ($id: ID!, $from: DateTime!, $to: DateTime!) {
    space(id: $id) { freeSlots(from: $from, to: $to) { startAt endAt } }
  }`;
  const variables = { id, from: day.toISO(), to: day.plus({ days: 1 }).toISO() };
  type Data = { space: { freeSlots: Slot[] | null } | null };
  const { space } = await query<Data>(url, text, variables);
  return space?.freeSlots ?? null;
}

async function query<Data>(
  url: string,
  text: string,
  variables: Record<string, unknown>,
  token?: string,
): Promise<Data> {
  type Result = { data?: Data | null; errors?: { message: string }[] };
  const result = await post<Result>(`${url}/graphql`, { query: text, variables }, token);
  // Errors beside data are ignored: freeSlots is null while book does not know the space.
  if (!result.data) throw new Error(result.errors?.[0]?.message ?? 'the router sent no data');
  return result.data;
}

async function post<Result>(url: string, body: unknown, token?: string): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  try {
    return JSON.parse(text) as Result;
  } catch {
    throw new Error(`${url} responded with status ${response.status} and no JSON`);
  }
}
