import { HOST_FIELDS } from '../booking-status-view.ts';
import type { RebuildPorts, ViewGenerations, ViewWithTimeline } from '../ports.ts';

const PAGE_SIZE = 200;
/** Between two pages, for other readers. */
const PAUSE_MS = 10;
const RECHECK_MS = 300;
/** Differences count as real after this time without becoming fewer. */
const CONVERGENCE_TIMEOUT_MS = 8_000;

type ComparedGenerations = Pick<ViewGenerations, 'viewsAfter' | 'findViews' | 'raiseVersions'>;

type Ports = Pick<RebuildPorts, 'clock' | 'pause'> & { generations: ComparedGenerations };
type OnCompared = (views: number, differing: readonly string[]) => Promise<void>;

/**
 * The ids of the bookings whose view or timeline differs between two generations. The comparison runs under
 * load: an event on its way to the live generation is in the new one already, and the two are not read at
 * one instant. So differences are compared again for as long as they become fewer.
 */
export async function findDifferingBookings(
  ports: Ports,
  [live, built]: readonly [number, number],
  onCompared: OnCompared,
): Promise<readonly string[]> {
  const { generations, pause } = ports;
  const found: string[] = [];
  let compared = 0;
  for (let after: string | null = ''; after !== null; ) {
    const page = await comparePages(generations, [live, built], after);
    found.push(...page.differing);
    await generations.raiseVersions(built, live, page.lower, 'lower');
    compared += page.compared;
    after = page.upTo;
    await onCompared(compared, found);
    await pause(PAUSE_MS);
  }

  const differing = await recheck(ports, [live, built], found, (some) =>
    onCompared(compared, some),
  );
  await onCompared(compared, differing);
  for (let at = 0; at < differing.length; at += PAGE_SIZE) {
    const ids = differing.slice(at, at + PAGE_SIZE);
    await generations.raiseVersions(built, live, ids, 'not higher');
  }
  return differing;
}

/** Compares these bookings again until none differs, or their number no longer falls. */
async function recheck(
  { generations, clock, pause }: Ports,
  [live, built]: readonly [number, number],
  found: readonly string[],
  onCompared: (differing: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  let differing = found;
  let progressAt = clock().getTime();
  while (differing.length > 0 && clock().getTime() - progressAt < CONVERGENCE_TIMEOUT_MS) {
    await pause(RECHECK_MS);
    const remaining: string[] = [];
    for (let at = 0; at < differing.length; at += PAGE_SIZE) {
      const ids = differing.slice(at, at + PAGE_SIZE);
      const [a, b] = await Promise.all([
        generations.findViews(live, ids),
        generations.findViews(built, ids),
      ]);
      remaining.push(...findDifferences(a, b));
      await onCompared(differing);
    }
    if (remaining.length < differing.length) progressAt = clock().getTime();
    differing = remaining;
  }
  return differing;
}

async function comparePages(
  generations: ComparedGenerations,
  [live, built]: readonly [number, number],
  after: string,
) {
  const pages = await Promise.all([
    generations.viewsAfter(live, after, PAGE_SIZE),
    generations.viewsAfter(built, after, PAGE_SIZE),
  ]);
  // Both pages are complete only up to the end of the full page that ends first.
  const ends = pages
    .filter((page) => page.length === PAGE_SIZE)
    .map((page) => bookingIdOf(page.at(-1)));
  const upTo = ends.sort()[0] ?? null;
  const [a, b] = pages.map((page) =>
    page.filter((each) => upTo === null || bookingIdOf(each) <= upTo),
  ) as [ViewWithTimeline[], ViewWithTimeline[]];
  return {
    upTo,
    compared: Math.max(a.length, b.length),
    differing: findDifferences(a, b),
    lower: findLowerVersions(a, b),
  };
}

/** The ids of built views with a lower version than the live one: subscribers would ignore them as old. */
function findLowerVersions(
  live: readonly ViewWithTimeline[],
  built: readonly ViewWithTimeline[],
): string[] {
  const versions = new Map(live.map((each) => [bookingIdOf(each), each.view.version]));
  return built
    .filter((each) => each.view.version < Number(versions.get(bookingIdOf(each))))
    .map(bookingIdOf);
}

/** The ids of views that only one side has, or that differ. */
function findDifferences(
  live: readonly ViewWithTimeline[],
  built: readonly ViewWithTimeline[],
): string[] {
  const unmatched = new Map(built.map((each) => [bookingIdOf(each), each]));
  const differing = live.filter((each) => {
    const other = unmatched.get(bookingIdOf(each));
    unmatched.delete(bookingIdOf(each));
    return !other || !isSame(each, other);
  });
  return [...differing.map(bookingIdOf), ...unmatched.keys()];
}

function isSame(live: ViewWithTimeline, built: ViewWithTimeline): boolean {
  return (
    isSameRow(toCompared(live, live), toCompared(built, live)) &&
    live.timeline.length === built.timeline.length &&
    live.timeline.every((change, index) => isSameRow(change, built.timeline[index] ?? {}))
  );
}

/**
 * The fields that must be equal. Not the version: it counts projected events, and may differ between equal
 * views. Nor what a live view lacks because an earlier release projected it: a rebuild adds it.
 */
function toCompared({ view }: ViewWithTimeline, live: ViewWithTimeline): object {
  const lacking = HOST_FIELDS.filter((field) => live.view[field] === null);
  const names = new Set<string>(['version', ...lacking]);
  return Object.fromEntries(Object.entries(view).filter(([name]) => !names.has(name)));
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

function bookingIdOf(each: ViewWithTimeline | undefined): string {
  return each?.view.bookingId ?? '';
}
