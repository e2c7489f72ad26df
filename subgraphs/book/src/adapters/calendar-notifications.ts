import type { Publisher } from '#platform/messaging/notifications.ts';
import type { BookPorts } from '../ports.ts';

/** PostgreSQL notifies of 8000 bytes at most; an id takes 39. */
const MAX_IDS = 180;
/** Changes within this time share a message: they are frequent, and each message is a transaction. */
const GATHER_MS = 10;

type Stores = Pick<BookPorts, 'bookings' | 'changes' | 'blocks' | 'catalogue'>;

export interface CalendarNotifications {
  /** The same stores, which publish a notification after each commit that changes a calendar. */
  notifying<Ports extends Stores>(ports: Ports): Ports;
  stop(): void;
}

/**
 * Notifies routers of spaces whose calendar has changed. What is lost, and what time alone changes, they find
 * by polling.
 */
export function calendarNotifications(
  publisher: Pick<Publisher, 'publish'>,
): CalendarNotifications {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function publish(): void {
    timer = undefined;
    const ids = [...changed];
    changed.clear();
    for (let start = 0; start < ids.length; start += MAX_IDS) {
      publisher.publish(JSON.stringify(ids.slice(start, start + MAX_IDS)));
    }
  }

  function notify(spaceId: string): void {
    changed.add(spaceId);
    timer ??= setTimeout(publish, GATHER_MS);
  }

  return {
    notifying: (ports) => ({
      ...ports,
      bookings: notifyingBookings(ports.bookings, notify),
      changes: notifyingChanges(ports.changes, notify),
      blocks: notifyingBlocks(ports.blocks, notify),
      catalogue: {
        ...ports.catalogue,
        async store(space, eventId) {
          await ports.catalogue.store(space, eventId);
          notify(space.id);
        },
      },
    }),
    stop: () => clearTimeout(timer),
  };
}

type Notify = (spaceId: string) => void;

function notifyingBookings(bookings: Stores['bookings'], notify: Notify): Stores['bookings'] {
  // Only these change what is live; a hold that expires is no statement, and found by polling.
  const notifyIfChanged: (...versions: Parameters<Stores['bookings']['save']>) => void = (
    previous,
    next,
  ) => {
    const endsChange = previous.state.openChange !== null && next.state.openChange === null;
    if (previous.live !== next.live || endsChange) notify(next.state.spaceId);
  };
  return {
    ...bookings,
    async insert(booking, maxUnpaidHolds, by) {
      const result = await bookings.insert(booking, maxUnpaidHolds, by);
      if (typeof result !== 'string') notify(result.state.spaceId);
      return result;
    },
    async save(previous, next, eventId) {
      const result = await bookings.save(previous, next, eventId);
      if (result === 'saved') notifyIfChanged(previous, next);
      return result;
    },
    async saveAction(previous, next, by, action) {
      const result = await bookings.saveAction(previous, next, by, action);
      if (result === 'saved') notifyIfChanged(previous, next);
      return result;
    },
  };
}

function notifyingChanges(changes: Stores['changes'], notify: Notify): Stores['changes'] {
  return {
    ...changes,
    async begin(previous, next, change, limits) {
      const result = await changes.begin(previous, next, change, limits);
      if (typeof result !== 'string') notify(next.state.spaceId);
      return result;
    },
    async end(previous, change, state) {
      const result = await changes.end(previous, change, state);
      if (result === 'saved') notify(previous.state.spaceId);
      return result;
    },
    async finish(previous, eventId) {
      const result = await changes.finish(previous, eventId);
      if (result === 'saved') notify(previous.state.spaceId);
      return result;
    },
  };
}

function notifyingBlocks(blocks: Stores['blocks'], notify: Notify): Stores['blocks'] {
  return {
    ...blocks,
    async insert(block, maxBlocks, by) {
      const result = await blocks.insert(block, maxBlocks, by);
      if (result === 'saved') notify(block.spaceId);
      return result;
    },
    async remove(block, by) {
      const isRemoved = await blocks.remove(block, by);
      if (isRemoved) notify(block.spaceId);
      return isRemoved;
    },
  };
}
