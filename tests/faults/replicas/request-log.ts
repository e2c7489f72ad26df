import type { ServiceName } from '../../../supervisor/src/services.ts';
import type { RouterClient } from '../load/router-client.ts';

/** A client's request, by performance.now(). */
export interface SentRequest {
  startedAt: number;
  endedAt: number;
  operation: string;
  /** Undefined: the response was what the client asked for. */
  failure: string | undefined;
}

/** The services that the clients' operations, by name, need besides the router. */
const NEEDED: Record<string, readonly ServiceName[]> = {
  Request: ['book', 'payment'],
  Cancel: ['book'],
  Read: ['mypage'],
  Spaces: ['space'],
  FreeSlots: ['space', 'book'],
  Booking: ['book', 'payment', 'space'],
};

/** Every request of the clients of a run, once each: nothing is sent again. */
export class RequestLog {
  readonly requests: SentRequest[] = [];

  /** Forgets all requests that have ended, and returns how many they were. */
  startAgain(): { requests: number; failed: number } {
    const ended = { requests: this.requests.length, failed: this.failures.length };
    this.requests.length = 0;
    return ended;
  }

  get failures(): SentRequest[] {
    return this.requests.filter(({ failure }) => failure !== undefined);
  }

  /** Records how long `send` takes, and a failure where it rejects. */
  async record<Result>(operation: string, send: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    const add = (failure?: string) =>
      void this.requests.push({ startedAt, endedAt: performance.now(), operation, failure });
    try {
      const result = await send();
      add();
      return result;
    } catch (error) {
      add((error as Error).message);
      throw error;
    }
  }

  /** The requests that need the service and overlap with the time. */
  between(service: ServiceName, from: number, to: number): SentRequest[] {
    return this.requests.filter(
      ({ operation, startedAt, endedAt }) =>
        endedAt >= from &&
        startedAt <= to &&
        (service === 'router' || NEEDED[operation]?.includes(service)),
    );
  }
}

/** A client whose requests are recorded under the names of their operations. */
export function recordedClient(router: RouterClient, log: RequestLog): RouterClient {
  return {
    execute(user, query, variables) {
      const operation = /^\w+ (\w+)/.exec(query)?.[1] ?? 'unnamed';
      return log.record(operation, () => router.execute(user, query, variables));
    },
    close: () => router.close(),
  };
}
