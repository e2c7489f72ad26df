import type { PublishingContext, Rebuild, RebuildPorts } from '../ports.ts';
import type { ConsumedEvent } from '../space-view.ts';
import { findDifferingBookings } from './compare-generations.ts';
import { findDifferingSpaces } from './compare-spaces.ts';
import { eventsInOrder } from './events-in-order.ts';

const CONTEXTS: readonly PublishingContext[] = ['book', 'payment', 'space'];
/** Events per transaction: live projection waits for at most one, some 50 ms. */
const BATCH_SIZE = 100;
const MAX_REPORTED_BOOKINGS = 20;
/** How long a context may be unreachable, as during a restart; shorter than the rebuild's lease. */
const CONTEXT_TIMEOUT_MS = 30_000;
const RETRY_MS = 1_000;

/** Ends a rebuild with a message for the operator. */
class RebuildEnded extends Error {}

export interface Rebuilder {
  /** Begins a rebuild, which continues in the background; null while another one runs in any process. */
  start(options: { acceptDifferences: boolean; by: string }): Promise<Rebuild | null>;
  /** Ends a rebuild that runs in this process. */
  stop(): Promise<void>;
}

/**
 * Rebuilds the read model from the events that the other contexts have stored, under load, compares it row by
 * row with the live one, and switches when they are equal.
 *
 * No event is missed: `begin` commits the new generation before the first event is read. An event projected
 * later is written to both generations in its transaction. An event projected earlier was committed by its
 * context before, so every page read now includes it, from the outbox or the archive. An event that comes
 * both ways is processed once, by the inbox of each generation; a view is the same in any order of events.
 */
export function rebuilder(ports: RebuildPorts): Rebuilder {
  let running: Promise<void> | undefined;
  let isStopped = false;

  const throwIfStopped = () => {
    if (isStopped) throw new RebuildEnded('mypage was stopped meanwhile: start it again.');
  };

  return {
    async start({ acceptDifferences, by }) {
      const rebuild = await ports.generations.begin();
      if (!rebuild) return null;
      ports.log('rebuild begun', { generation: rebuild.generation, acceptDifferences, by });
      running = run(ports, rebuild.generation, acceptDifferences, throwIfStopped);
      return rebuild;
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

async function run(
  ports: RebuildPorts,
  generation: number,
  acceptDifferences: boolean,
  throwIfStopped: () => void,
): Promise<void> {
  const { generations, log } = ports;
  try {
    const unreadable = await projectAll(ports, generation, throwIfStopped);
    const { bookings, spaces } = await compare(ports, generation, throwIfStopped);
    const spacesDiffer = spaces > 0 ? ` Spaces that differ: ${spaces}.` : '';
    const details =
      spacesDiffer + (unreadable > 0 ? ` Unreadable events, left out: ${unreadable}.` : '');
    if (bookings + spaces === 0) {
      const message = 'The rebuilt read model equals the live one and has taken its place.';
      await generations.switchTo(generation, message + details);
    } else if (acceptDifferences) {
      const message = `The rebuilt read model has taken the live one's place. Bookings that differed: ${bookings}.`;
      await generations.switchTo(generation, message + details);
    } else {
      const message = `The live read model stays. Bookings that differ from what the events say: ${bookings}.`;
      await generations.fail(generation, 'DIFFERENT', message + details);
    }
    log('rebuild ended', { generation, bookings, spaces, unreadable });
  } catch (error) {
    log('rebuild failed', { generation, err: error });
    const message =
      error instanceof RebuildEnded ? error.message : "An error ended it: see mypage's log.";
    // If this fails as well, the lease runs out and the next rebuild fails this one.
    await generations
      .fail(generation, 'FAILED', message)
      .catch((err) => log('the failed rebuild is left to its lease', { generation, err }));
  }
}

/** Resolves with the number of events that could not be read. */
async function projectAll(
  ports: RebuildPorts,
  generation: number,
  throwIfStopped: () => void,
): Promise<number> {
  const { generations, events, clock, pause } = ports;
  const page = withRetries(events.page, ports, throwIfStopped);
  const count = withRetries(events.count, ports, throwIfStopped);
  const counts = await Promise.all(CONTEXTS.map((from) => count(from)));
  await generations.recordProgress(generation, { eventsTotal: counts.reduce((a, b) => a + b, 0) });

  let eventsRead = 0;
  let unreadable = 0;
  let batch: ConsumedEvent[] = [];

  async function projectBatch(): Promise<void> {
    throwIfStopped();
    const startedAt = clock().getTime();
    await generations.project(generation, batch, eventsRead);
    batch = [];
    // Pauses as long as the batch took: half of the database's time stays for requests and consumers.
    await pause(Math.min(1_000, Math.max(1, clock().getTime() - startedAt)));
  }

  for await (const { event, isUnreadable } of eventsInOrder(CONTEXTS, page)) {
    eventsRead += 1;
    if (isUnreadable) unreadable += 1;
    if (event) batch.push(event);
    if (batch.length === BATCH_SIZE) await projectBatch();
  }
  await projectBatch();
  return unreadable;
}

async function compare(
  ports: RebuildPorts,
  generation: number,
  throwIfStopped: () => void,
): Promise<{ bookings: number; spaces: number }> {
  const { generations } = ports;
  await generations.recordProgress(generation, { state: 'COMPARING' });
  // It stays live meanwhile: only a rebuild switches, and no other one runs.
  const compared = [await generations.live(), generation] as const;
  const bookings = await findDifferingBookings(
    ports,
    compared,
    async (viewsCompared, differing) => {
      throwIfStopped();
      await generations.recordProgress(generation, {
        viewsCompared,
        differences: differing.length,
        differingBookingIds: differing.slice(0, MAX_REPORTED_BOOKINGS),
      });
    },
  );
  const spaces = await findDifferingSpaces(generations, compared);
  const differences = bookings.length + spaces.length;
  await generations.recordProgress(generation, { differences });
  return { bookings: bookings.length, spaces: spaces.length };
}

/** Repeats the request until the context responds, or has not for {@link CONTEXT_TIMEOUT_MS}. */
function withRetries<Arguments extends [PublishingContext, ...unknown[]], Response>(
  request: (...args: Arguments) => Promise<Response>,
  { clock, pause }: RebuildPorts,
  throwIfStopped: () => void,
): (...args: Arguments) => Promise<Response> {
  return async (...args) => {
    for (const startedAt = clock().getTime(); ; ) {
      throwIfStopped();
      try {
        return await request(...args);
      } catch (cause) {
        if (clock().getTime() - startedAt > CONTEXT_TIMEOUT_MS) {
          const message = `${args[0]} does not respond with its stored events.`;
          throw new RebuildEnded(message, { cause });
        }
        await pause(RETRY_MS);
      }
    }
  };
}
