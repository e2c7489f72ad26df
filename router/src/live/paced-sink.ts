import type { Payload } from './payload.ts';
import type { Sink } from './sink.ts';

/** The connection that a client's payloads are written to. */
export interface SinkTarget {
  write(payloads: readonly Payload[]): void;
  /** Bytes that were written and not sent yet. */
  bufferedBytes(): number;
  /** Sends the end of the stream. */
  end(): void;
}

/** A client with more buffered bytes is slow: the kernel's buffers are full as well. */
const SLOW_BYTES = 128 * 1_024;
const FLUSH_MS = 25;

/** The sinks of slow clients: one timer for all of them, and none for the others. */
const slowSinks = new Set<PacedSink>();
let timer: NodeJS.Timeout | undefined;

/**
 * Writes payloads immediately while the client is fast enough. For a slow client it keeps the latest payload
 * of each topic and writes it later: each payload is a complete state, so the client misses nothing.
 */
export function pacedSink(target: SinkTarget): Sink {
  return new PacedSink(target);
}

class PacedSink implements Sink {
  readonly #target: SinkTarget;
  /** By topic; undefined for clients that were never slow. */
  #latest: Map<string, Payload> | undefined;

  constructor(target: SinkTarget) {
    this.#target = target;
  }

  next(payloads: readonly Payload[]): void {
    if (!this.#latest?.size && this.#target.bufferedBytes() < SLOW_BYTES) {
      this.#target.write(payloads);
      return;
    }
    this.#latest ??= new Map();
    for (const payload of payloads) this.#latest.set(payload.topic, payload);
    slowSinks.add(this);
    timer ??= setInterval(flushSlowSinks, FLUSH_MS);
  }

  complete(): void {
    slowSinks.delete(this);
    if (this.#latest?.size) this.#target.write([...this.#latest.values()]);
    this.#latest?.clear();
    this.#target.end();
  }

  /** Writes until the client is slow again; returns whether everything is written. */
  flush(): boolean {
    for (const [topic, payload] of this.#latest ?? []) {
      if (this.#target.bufferedBytes() >= SLOW_BYTES) return false;
      this.#latest?.delete(topic);
      this.#target.write([payload]);
    }
    return true;
  }
}

function flushSlowSinks(): void {
  for (const sink of slowSinks) if (sink.flush()) slowSinks.delete(sink);
  if (slowSinks.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
