import type { Payload } from './payload.ts';
import type { Sink } from './subscriptions.ts';

/** Where a client's answers are written to. */
export interface Outlet {
  write(payloads: readonly Payload[]): void;
  /** Bytes that were written and that the client has not taken yet. */
  waiting(): number;
  /** Says that nothing follows. */
  end(): void;
}

/** From then on a client is slow: the system's own buffers are full as well. */
const SLOW_BYTES = 128 * 1_024;
const LOOK_EVERY_MS = 25;

/** The clients that are slow now: looked after together, so that the others cost nothing. */
const stragglers = new Set<PacedSink>();
let timer: NodeJS.Timeout | undefined;

/**
 * Writes answers as they come while the client takes them. For a slow client it keeps the latest answer
 * of each topic, and writes that as soon as it can: answers are states, so none is missed.
 */
export function pacedSink(outlet: Outlet): Sink {
  return new PacedSink(outlet);
}

class PacedSink implements Sink {
  readonly #outlet: Outlet;
  /** Undefined for all who were never slow. */
  #held: Map<string, Payload> | undefined;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  next(payloads: readonly Payload[]): void {
    if (!this.#held?.size && this.#outlet.waiting() < SLOW_BYTES) {
      this.#outlet.write(payloads);
      return;
    }
    this.#held ??= new Map();
    for (const payload of payloads) this.#held.set(payload.topic, payload);
    stragglers.add(this);
    timer ??= setInterval(look, LOOK_EVERY_MS);
  }

  complete(): void {
    stragglers.delete(this);
    if (this.#held?.size) this.#outlet.write([...this.#held.values()]);
    this.#held?.clear();
    this.#outlet.end();
  }

  /** Writes as much as the client takes now; is nothing left? */
  writeHeld(): boolean {
    for (const [topic, payload] of this.#held ?? []) {
      if (this.#outlet.waiting() >= SLOW_BYTES) return false;
      this.#held?.delete(topic);
      this.#outlet.write([payload]);
    }
    return true;
  }
}

function look(): void {
  for (const sink of stragglers) if (sink.writeHeld()) stragglers.delete(sink);
  if (stragglers.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
