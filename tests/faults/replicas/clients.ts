import { Random } from '../random.ts';
import type { Load } from './load.ts';
import { actAsReader } from './reader.ts';
import type { ReplicatedSystem } from './replicated-system.ts';
import { statusClients } from './status-clients.ts';
import { actAsSubscriber, type SubscriberTotals } from './subscriber.ts';

/** Between two requests of a reader, on average. */
const READER_PAUSE_MS = 150;

export interface ClientOptions {
  /** The seed of everything that the clients draw. */
  name: string;
  readers: number;
  subscribers: number;
  /** How long customers keep a booking, relative to the default. */
  patience: number;
  /** Whether a router is being replaced: only then may a subscription end early. */
  isRouterReplaced(): boolean;
  /** From then on no client begins anything. */
  isOver(): boolean;
}

/** Clients at work; `done` rejects when one of them fails. */
export interface WorkingClients {
  totals: SubscriberTotals;
  done: Promise<undefined>;
}

/** Starts the readers and the subscribers of a load, on one plan of slots. */
export function startClients(
  system: ReplicatedSystem,
  load: Load,
  { name, readers, subscribers, patience, isRouterReplaced, isOver }: ClientOptions,
): WorkingClients {
  const random = new Random(name);
  const totals: SubscriberTotals = {
    ...{ bookings: 0, versions: 0, subscriptions: 0, resumed: 0 },
    ...{ missed: [], failed: [] },
  };
  const reading = Array.from({ length: readers }, (_, index) =>
    actAsReader({
      ...load,
      random: random.fork(`reader ${index}`),
      pauseMs: READER_PAUSE_MS,
      isOver,
    }),
  );
  const watching = Array.from({ length: subscribers }, async (_, index) => {
    const customer = `subscriber ${index}`;
    await actAsSubscriber({
      ...load,
      name: customer,
      random: random.fork(customer),
      url: system.url,
      token: await system.tokenFor(customer, 'customer'),
      client: statusClients[index % statusClients.length] as (typeof statusClients)[number],
      // The run itself books as the one customer more than there are subscribers.
      slots: load.slots.slotsFor(index, subscribers + 1),
      totals,
      patience,
      isRouterReplaced,
      isOver,
    });
  });
  return { totals, done: Promise.all([...reading, ...watching]).then(() => undefined) };
}

/** What subscribers did not get, for people: nothing in a good run. */
export function describeMissed({ missed, failed }: SubscriberTotals): string[] {
  return [
    ...missed.map((what) => `versions of ${what}`),
    ...failed.map((what) => `subscription of ${what}`),
  ];
}
