import type { WebSocket } from 'ws';

/** A connection that serves no purpose is closed after so long. */
export interface IdleTimes {
  /** Of a client that has not said who it is. */
  anonymousMs: number;
  /** Of one that has. */
  signedInMs: number;
}

export const IDLE_TIMES: IdleTimes = { anonymousMs: 10_000, signedInMs: 600_000 };

/** Clients of graphql-ws take this code for an orderly end, and connect again when they subscribe. */
const NORMAL_CLOSURE = 1000;

/**
 * Closes a WebSocket on which no operation runs for too long. Its user's token alone keeps it open for
 * minutes; what a stranger opens ends within seconds.
 */
export class IdleClose {
  readonly #socket: WebSocket;
  readonly #times: IdleTimes;
  #operations = 0;
  #isSignedIn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, times: IdleTimes) {
    this.#socket = socket;
    this.#times = times;
    this.#restart();
  }

  signedIn(): void {
    this.#isSignedIn = true;
    this.#restart();
  }

  operationBegan(): void {
    this.#operations += 1;
    clearTimeout(this.#timer);
  }

  operationEnded(): void {
    this.#operations -= 1;
    this.#restart();
  }

  stop(): void {
    this.#operations = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
  }

  #restart(): void {
    clearTimeout(this.#timer);
    if (this.#operations > 0) return;
    const { anonymousMs, signedInMs } = this.#times;
    this.#timer = setTimeout(
      () =>
        this.#socket.close(NORMAL_CLOSURE, 'Nothing is subscribed to: connect when you need it.'),
      this.#isSignedIn ? signedInMs : anonymousMs,
    );
  }
}
