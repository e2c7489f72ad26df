import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaViewGenerations } from '../src/adapters/prisma-view-generations.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { prismaViewVersions } from '../src/adapters/prisma-view-versions.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
} from '../src/booking-status-view.ts';
import { bookingEvent, paymentEvent, wholeHistory } from './a-history.ts';
import { engines } from './engines.ts';

const KEEP_MINUTES = 10;

describe.each(engines)('the kept versions on $name', ({ create }) => {
  let database: { url: string; drop(): Promise<void> };
  let prisma: PrismaClient;
  let views: ReturnType<typeof prismaViewStore>;
  let now = () => new Date();
  let versions: ReturnType<typeof prismaViewVersions>;

  beforeAll(async () => {
    database = await create();
    prisma = await openViewDatabase(database.url);
    views = prismaViewStore(prisma);
    versions = prismaViewVersions(prisma, KEEP_MINUTES, () => now());
  });

  afterAll(async () => {
    await prisma?.$disconnect();
    await database?.drop();
  });

  const aPerson = () => ({ bookingId: uuidv7(), customerId: `person-${uuidv7()}` });

  /** The view as each of the events leaves it. */
  function statesOf(events: readonly ProjectedEvent[]): BookingStatusView[] {
    let view: BookingStatusView | null = null;
    return events.map((event) => {
      view = project(view, event);
      return view;
    });
  }

  async function ask(question: Parameters<typeof versions.of>[0][number]) {
    const [answer] = await versions.of([question]);
    return answer?.versions.map(({ view: { version } }) => version);
  }

  test('are one for each event, as the event left the view, also of a group', async () => {
    const person = aPerson();
    const history = wholeHistory(person);
    const told = await views.project(history);
    const states = statesOf(history);
    expect(told).toEqual(states);
    const [answer] = await versions.of([{ bookingId: person.bookingId, after: 0 }]);
    expect(answer?.present).toEqual(states.at(-1));
    expect(answer?.versions.map(({ view }) => view)).toMatchObject(states);
    // A version knows nothing of statuses that came after it.
    for (const { view, timeline } of answer?.versions ?? []) {
      expect(timeline.at(-1)?.bookingVersion).toBe(view.bookingVersion);
    }
  });

  test('are not made again by what is told again', async () => {
    const person = aPerson();
    const history = wholeHistory(person);
    await views.project(history);
    expect(await views.project(history)).toEqual([]);
    expect(await ask({ bookingId: person.bookingId, after: 0 })).toHaveLength(history.length);
  });

  test('answer with the present one, with what is newer, and with what is younger', async () => {
    const person = aPerson();
    const { bookingId } = person;
    const history = wholeHistory(person);
    const last = history.length;
    await views.project(history.slice(0, 3));
    const between = new Date(Date.now() + 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await views.project(history.slice(3));
    expect(await ask({ bookingId })).toEqual([last]);
    expect(await ask({ bookingId, after: last - 2 })).toEqual([last - 1, last]);
    expect(await ask({ bookingId, after: last })).toEqual([]);
    const younger = Array.from({ length: last - 3 }, (_, n) => n + 4);
    expect(await ask({ bookingId, since: between })).toEqual(younger);
    expect(await ask({ bookingId, after: 5, since: between })).toEqual(younger);
    // Of a read model that was rebuilt with fewer events.
    expect(await ask({ bookingId, after: last + 7 })).toEqual([last]);
    const together = await versions.of([
      { bookingId, after: 1 },
      { bookingId: uuidv7() },
      { bookingId },
    ]);
    expect(together.map((answer) => answer?.versions.length)).toEqual([last - 1, undefined, 1]);
  });

  test('leave nothing out that is projected while they are read', async () => {
    const person = aPerson();
    const history = wholeHistory(person);
    await views.project(history.slice(0, 1));
    let overtakes = history.slice(1, 4);
    const overtaken = new Proxy(prisma, {
      get(client, name) {
        if (name !== 'viewVersion') return Reflect.get(client, name);
        return {
          async findMany(...args: Parameters<typeof prisma.viewVersion.findMany>) {
            const found = await prisma.viewVersion.findMany(...args);
            await views.project(overtakes.splice(0));
            return found;
          },
        };
      },
    });
    const reader = prismaViewVersions(overtaken, KEEP_MINUTES);
    const read = async (after: number) => {
      const [answer] = await reader.of([{ bookingId: person.bookingId, after }]);
      return answer?.versions.map(({ view: { version } }) => version);
    };
    expect(await read(1)).toEqual([2, 3, 4]);
    overtakes = history.slice(4, 6);
    expect(await read(2)).toEqual([3, 4, 5, 6]);
  });

  test('tell of nobody what is shown to nobody', async () => {
    const { bookingId, customerId } = aPerson();
    await views.project([paymentEvent(1, 'APPROVED', { bookingId })]);
    expect(await versions.of([{ bookingId, after: 0 }])).toEqual([null]);
    await views.project([bookingEvent(1, 'REQUESTED', { bookingId, customerId })]);
    await views.project([bookingEvent(2, 'PAID', { bookingId, customerId })]);
    // All that were ever shown: the hidden one before them is no gap.
    expect(await ask({ bookingId, after: 0 })).toEqual([2, 3]);
  });

  test('are listed in the order of their projection, page by page', async () => {
    const since = new Date();
    const people = Array.from({ length: 7 }, aPerson);
    await views.project(people.map((person) => bookingEvent(1, 'REQUESTED', person)));
    await views.project(people.map((person) => bookingEvent(2, 'PAID', person)));
    const listed = [];
    for (
      let after = null, page = await versions.projectedSince(since, after, 5);
      page.length > 0;
    ) {
      listed.push(...page);
      after = page.at(-1) ?? null;
      page = await versions.projectedSince(since, after, 5);
    }
    expect(listed).toHaveLength(14);
    expect(listed.slice(0, 7).every(({ version }) => version === 1)).toBe(true);
    expect(new Set(listed.map(({ customerId }) => customerId)).size).toBe(7);
  });

  test('are not made by a rebuild, and are there for the new generation once it is live', async () => {
    const person = aPerson();
    const { bookingId } = person;
    const history = wholeHistory(person);
    const generations = prismaViewGenerations(prisma);
    await views.project(history.slice(0, 2));
    const begun = await generations.begin();
    const generation = Number(begun?.generation);
    await generations.take(generation, history.slice(0, 2), 2);
    await views.project(history.slice(2, 4));
    await generations.switchTo(generation, 'switched');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await ask({ bookingId, after: 2 })).toEqual([3, 4]);
    // Those from before were not told again: only the present one is left.
    expect(await ask({ bookingId, after: 0 })).toEqual([4]);
  });

  test('are deleted when they are old, bit by bit; the view remains', async () => {
    const person = aPerson();
    const { bookingId } = person;
    await views.project(wholeHistory(person));
    expect(await versions.prune()).toBe(false);
    expect(await ask({ bookingId, after: 1 })).not.toHaveLength(1);
    now = () => new Date(Date.now() + (KEEP_MINUTES + 1) * 60_000);
    while (await versions.prune());
    expect(await prisma.viewVersion.count()).toBe(0);
    expect(await ask({ bookingId, after: 1 })).toHaveLength(1);
  });
});
