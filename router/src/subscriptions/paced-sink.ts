import type { Payload } from './payload.ts';
import type { Sink } from './subscriptions.ts';

/** Where a client's answers are written to. */
export interface Outlet {
  write(payload: Payload): void;
  /** Bytes that were written and that the client has not taken yet. */
  waiting(): number;
  /** Says that nothing follows. */
  end(): void;
}

/** From then on a client is slow: the system's own buffers are full as well. */
const SLOW_BYTES = 128 * 1_024;
const LOOK_EVERY_MS = 25;

/** The clients that are slow now: looked after together, so that the others cost nothing. */
const stragglers = new Set<() => boolean>();
let timer: NodeJS.Timeout | undefined;

/**
 * Writes answers as they come while the client takes them. For a slow client it keeps the latest answer
 * of each topic, and writes that as soon as it can: answers are states, so none is missed.
 */
export function pacedSink({ write, waiting, end }: Outlet): Sink {
  const held = new Map<string, Payload>();

  function writeHeld(): boolean {
    if (held.size > 0 && waiting() >= SLOW_BYTES) return false;
    for (const [topic, payload] of held) {
      held.delete(topic);
      write(payload);
      if (waiting() >= SLOW_BYTES) return held.size === 0;
    }
    return true;
  }

  return {
    next(payload, topic) {
      if (held.size === 0 && waiting() < SLOW_BYTES) return write(payload);
      held.set(topic, payload);
      stragglers.add(writeHeld);
      timer ??= setInterval(look, LOOK_EVERY_MS);
    },
    complete() {
      stragglers.delete(writeHeld);
      for (const payload of held.values()) write(payload);
      held.clear();
      end();
    },
  };
}

function look(): void {
  for (const writeHeld of stragglers) if (writeHeld()) stragglers.delete(writeHeld);
  if (stragglers.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
