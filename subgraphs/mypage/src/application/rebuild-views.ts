import type { ProjectedEvent } from '../booking-status-view.ts';
import type { Rebuild, RebuildPorts, ToldBy } from '../ports.ts';
import { differingBookings } from './compare-generations.ts';
import { eventsInOrder } from './events-in-order.ts';

const CONTEXTS: readonly ToldBy[] = ['book', 'payment', 'space'];
/** One transaction: live projection waits for at most one of these, some 50 ms. */
const GROUP = 100;
const REPORTED = 20;
/** A context that is restarted does not end a rebuild; shorter than the rebuild's lease. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 1_000;

/** Why a rebuild was given up, in words for the operator. */
class RebuildEnded extends Error {}

export interface Rebuilder {
  /** Begins a rebuild on the operator's word, which goes on by itself; null while there is one, in any process. */
  start(options: { acceptDifferences: boolean; by: string }): Promise<Rebuild | null>;
  /** Gives up a rebuild that runs in this process. */
  stop(): Promise<void>;
}

/**
 * Rebuilds the read model from the events that the other contexts have stored, beside the live one
 * and under load, compares both row by row, and switches when they are equal.
 *
 * Why nothing is missed: `begin` commits the new generation before the first event is read. An event
 * that a projector takes later than that is written to both generations by its transaction. One that
 * was taken earlier had been committed by its own context before that, so every page that is read
 * now sees it, in the outbox or the archive. What comes both ways is taken once, by the inbox that
 * each generation has for itself; the order does not matter, as a view is the same in any order.
 */
export function rebuilder(ports: RebuildPorts): Rebuilder {
  let running: Promise<void> | undefined;
  let stopped = false;

  const goOn = () => {
    if (stopped) throw new RebuildEnded('mypage was stopped meanwhile: start it again.');
  };

  return {
    async start({ acceptDifferences, by }) {
      const rebuild = await ports.generations.begin();
      if (!rebuild) return null;
      ports.log('rebuild begun', { generation: rebuild.generation, acceptDifferences, by });
      running = run(ports, rebuild.generation, acceptDifferences, goOn);
      return rebuild;
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

async function run(
  ports: RebuildPorts,
  generation: number,
  acceptDifferences: boolean,
  goOn: () => void,
): Promise<void> {
  const { generations, log } = ports;
  try {
    const unreadable = await projectAll(ports, generation, goOn);
    const differences = await compare(ports, generation, goOn);
    const leftOut = unreadable > 0 ? ` Unreadable events, left out: ${unreadable}.` : '';
    if (differences === 0) {
      const message = 'The rebuilt read model equals the live one and has taken its place.';
      await generations.switchTo(generation, message + leftOut);
    } else if (acceptDifferences) {
      const message = `The rebuilt read model has taken the live one's place. Bookings that differed: ${differences}.`;
      await generations.switchTo(generation, message + leftOut);
    } else {
      const message = `The live read model stays. Bookings that differ from what the events say: ${differences}.`;
      await generations.giveUp(generation, 'DIFFERENT', message + leftOut);
    }
    log('rebuild ended', { generation, differences, unreadable });
  } catch (error) {
    log('rebuild failed', { generation, err: error });
    const message =
      error instanceof RebuildEnded ? error.message : "A fault ended it: mypage's log tells which.";
    // When this fails as well, the lease runs out and the next one gives it up.
    await generations
      .giveUp(generation, 'FAILED', message)
      .catch((err) => log('the failed rebuild is left to its lease', { generation, err }));
  }
}

/** Resolves with the number of events that could not be read. */
async function projectAll(
  ports: RebuildPorts,
  generation: number,
  goOn: () => void,
): Promise<number> {
  const { generations, events, clock, pause } = ports;
  const page = patient(events.page, ports, goOn);
  const count = patient(events.count, ports, goOn);
  const counts = await Promise.all(CONTEXTS.map((from) => count(from)));
  await generations.note(generation, { eventsTotal: counts.reduce((a, b) => a + b, 0) });

  let eventsRead = 0;
  let unreadable = 0;
  let group: ProjectedEvent[] = [];

  async function takeGroup(): Promise<void> {
    goOn();
    const began = clock().getTime();
    await generations.take(generation, group, eventsRead);
    group = [];
    // As long as it took: half of the database's time stays with those who use mypage.
    await pause(Math.min(1_000, Math.max(1, clock().getTime() - began)));
  }

  for await (const { event, isUnreadable } of eventsInOrder(CONTEXTS, page)) {
    eventsRead += 1;
    if (isUnreadable) unreadable += 1;
    if (event) group.push(event);
    if (group.length === GROUP) await takeGroup();
  }
  await takeGroup();
  return unreadable;
}

async function compare(ports: RebuildPorts, generation: number, goOn: () => void): Promise<number> {
  const { generations } = ports;
  await generations.note(generation, { state: 'COMPARING' });
  const differing = await differingBookings(
    ports,
    // It stays the live one meanwhile: only a rebuild switches, and there is only this one.
    [await generations.live(), generation],
    async (viewsCompared, soFar) => {
      goOn();
      await generations.note(generation, {
        viewsCompared,
        differences: soFar.length,
        differingBookingIds: soFar.slice(0, REPORTED),
      });
    },
  );
  return differing.length;
}

/** Asks again until the context answers, or patience ends. */
function patient<Arguments extends [ToldBy, ...unknown[]], Answer>(
  ask: (...args: Arguments) => Promise<Answer>,
  { clock, pause }: RebuildPorts,
  goOn: () => void,
): (...args: Arguments) => Promise<Answer> {
  return async (...args) => {
    for (const began = clock().getTime(); ; ) {
      goOn();
      try {
        return await ask(...args);
      } catch (cause) {
        if (clock().getTime() - began > PATIENCE_MS) {
          const message = `${args[0]} does not answer with its stored events.`;
          throw new RebuildEnded(message, { cause });
        }
        await pause(RETRY_MS);
      }
    }
  };
}
