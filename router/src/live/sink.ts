import type { Payload } from './payload.ts';

/** A client's end of one subscription, in any protocol. */
export interface Sink {
  /** Sends payloads, in order; a slow client gets only the latest of each topic. */
  next(payloads: readonly Payload[]): void;
  /** Nothing follows; what was sent is delivered first. */
  complete(): void;
}
