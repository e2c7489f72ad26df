import type { WebSocket } from 'ws';

/** A connection without operations is closed after this time. */
export interface IdleTimes {
  /** For a client without a token. */
  anonymousMs: number;
  /** For a client with a valid token. */
  signedInMs: number;
}

export const IDLE_TIMES: IdleTimes = { anonymousMs: 10_000, signedInMs: 600_000 };

/** On this code clients of graphql-ws do not retry, and connect again when they subscribe. */
const NORMAL_CLOSURE = 1000;

/**
 * Closes a WebSocket on which no operation has run for too long: after minutes with a valid token, after
 * seconds without one, so that anonymous clients cannot use up the connections.
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

  operationStarted(): void {
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
