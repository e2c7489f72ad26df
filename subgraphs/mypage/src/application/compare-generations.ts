import type { RebuildPorts, ViewGenerations, WholeView } from '../ports.ts';

const CHUNK = 200;
const LOOK_AGAIN_MS = 300;
/** How long differences may stay without becoming fewer before they count as real. */
const SETTLE_MS = 8_000;

type Reading = Pick<ViewGenerations, 'viewsAfter' | 'viewsOf' | 'raiseVersions'>;

/**
 * The bookings that two generations show differently, view or timeline, row by row. It runs under
 * load: an event that is on its way to the live generation is in the new one already, and the two
 * are not read at one instant. So what differs is looked at again, for as long as it becomes fewer.
 */
export async function differingBookings(
  ports: Pick<RebuildPorts, 'clock' | 'pause'> & { generations: Reading },
  [live, built]: readonly [number, number],
  onCompared: (views: number, differing: readonly string[]) => Promise<void>,
): Promise<string[]> {
  const { generations, clock, pause } = ports;
  let differing: string[] = [];
  let compared = 0;
  for (let after: string | null = ''; after !== null; ) {
    const chunk = await nextChunk(generations, [live, built], after);
    differing.push(...chunk.differing);
    await generations.raiseVersions(built, live, chunk.lower, 'lower');
    compared += chunk.compared;
    after = chunk.upTo;
    await onCompared(compared, differing);
    await pause(10);
  }

  let progressAt = clock().getTime();
  while (differing.length > 0 && clock().getTime() - progressAt < SETTLE_MS) {
    await pause(LOOK_AGAIN_MS);
    const still: string[] = [];
    for (let at = 0; at < differing.length; at += CHUNK) {
      const ids = differing.slice(at, at + CHUNK);
      const [a, b] = await Promise.all([
        generations.viewsOf(live, ids),
        generations.viewsOf(built, ids),
      ]);
      still.push(...differences(a, b));
      await onCompared(compared, differing);
    }
    if (still.length < differing.length) progressAt = clock().getTime();
    differing = still;
  }
  await onCompared(compared, differing);
  for (let at = 0; at < differing.length; at += CHUNK) {
    await generations.raiseVersions(built, live, differing.slice(at, at + CHUNK), 'not higher');
  }
  return differing;
}

async function nextChunk(
  generations: Reading,
  [live, built]: readonly [number, number],
  after: string,
) {
  const pages = await Promise.all([
    generations.viewsAfter(live, after, CHUNK),
    generations.viewsAfter(built, after, CHUNK),
  ]);
  // Both are known only as far as the full page that ends first.
  const ends = pages.filter((page) => page.length === CHUNK).map((page) => idOf(page.at(-1)));
  const upTo = ends.sort()[0] ?? null;
  const [a, b] = pages.map((page) =>
    page.filter((each) => upTo === null || idOf(each) <= upTo),
  ) as [WholeView[], WholeView[]];
  return {
    upTo,
    compared: Math.max(a.length, b.length),
    differing: differences(a, b),
    lower: lowerVersions(a, b),
  };
}

/** The ids of views that have a lower version on the built side: subscribers would take them for old. */
function lowerVersions(live: readonly WholeView[], built: readonly WholeView[]): string[] {
  const versions = new Map(live.map((each) => [idOf(each), each.view.version]));
  return built.filter((each) => each.view.version < Number(versions.get(idOf(each)))).map(idOf);
}

/** The ids of those that only one side has, or that differ. */
function differences(some: readonly WholeView[], others: readonly WholeView[]): string[] {
  const left = new Map(others.map((each) => [idOf(each), each]));
  const differing = some.filter((each) => {
    const other = left.get(idOf(each));
    left.delete(idOf(each));
    return !other || !isSame(each, other);
  });
  return [...differing.map(idOf), ...left.keys()];
}

function isSame(one: WholeView, other: WholeView): boolean {
  return (
    isSameRow(withoutVersion(one), withoutVersion(other)) &&
    one.timeline.length === other.timeline.length &&
    one.timeline.every((change, index) => isSameRow(change, other.timeline[index] ?? {}))
  );
}

/** It counts what subscribers were shown, and is no part of what the view says. */
function withoutVersion({ view: { version, ...rest } }: WholeView): object {
  return rest;
}

function isSameRow(one: object, other: object): boolean {
  const others = new Map(Object.entries(other));
  const fields = Object.entries(one);
  return (
    fields.length === others.size &&
    fields.every(([name, value]) => comparable(value) === comparable(others.get(name)))
  );
}

function comparable(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

function idOf(each: WholeView | undefined): string {
  return each?.view.bookingId ?? '';
}
