import { Random } from '../random.ts';
import { actAsBooker } from '../replicas/booker.ts';
import type { Load } from '../replicas/load.ts';
import { actAsReader } from '../replicas/reader.ts';

/** Between two requests of a client, on average. */
const PAUSE_MS = 120;

/** The clients of a system, which can act again and again. */
export interface Clients {
  /** Act until `isOver`; `name` distinguishes the customers from those of an earlier time. */
  act(name: string, isOver: () => boolean): Promise<void>;
}

/** Every other client books and cancels, the others read; nothing is sent a second time. */
export function createClients(load: Load, count: number): Clients {
  const slots = Array.from({ length: count }, (_, index) => load.slots.slotsFor(index, count));
  return {
    async act(name, isOver) {
      const random = new Random(`healing ${name}`);
      const acting = slots.map((own, index) => {
        const client = `${name}, client ${index}`;
        const common = { random: random.fork(client), pauseMs: PAUSE_MS, isOver };
        if (index % 2 > 0) return actAsReader({ ...load, ...common });
        return actAsBooker({ ...common, name: client, load, slots: own });
      });
      await Promise.all(acting);
    },
  };
}
