import { Pool } from 'undici';

/** An idle connection is closed after 4 s, at most 10 s where the server offers more. */
const idle = { keepAliveTimeout: 4_000, keepAliveMaxTimeout: 10_000 };
/** So replicas that are new get their share of a busy service's connections, too. */
const MAX_AGE_MS = 30_000;

type Options = NonNullable<ConstructorParameters<typeof Pool>[1]> & { maxAgeMs?: number };
type Request = Parameters<Pool['request']>[0];
type Response = Awaited<ReturnType<Pool['request']>>;

/** Connections to one service. */
export interface HttpPool {
  request(request: Request): Promise<Response>;
  /** Lets requests under way finish. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Opens up to `connections` of them, and others in their place after `maxAgeMs` (30 s). Not by undici's
 * `clientTtl`: where all connections are old, it lets a request wait for ever.
 */
export function openHttpPool(
  url: string,
  { maxAgeMs = MAX_AGE_MS, ...options }: Options,
): HttpPool {
  const open = () => new Pool(url, { connectTimeout: 2_000, ...idle, ...options });
  const old = new Set<Pool>();
  let current = open();
  let openedAt = performance.now();

  function replace(): void {
    const last = current;
    current = open();
    openedAt = performance.now();
    old.add(last);
    const forget = () => void old.delete(last);
    last.close().then(forget, forget);
  }

  return {
    request(request) {
      if (performance.now() - openedAt >= maxAgeMs) replace();
      return current.request(request);
    },
    close: () => current.close(),
    async destroy() {
      await Promise.all([current, ...old].map((pool) => pool.destroy()));
    },
  };
}

/** Sends what only reads. */
export interface HttpReader {
  /**
   * Sends a request; once more over a new connection when the connection was refused or ended before
   * a response, or when the response was 503: behind one address there may be other replicas. What
   * takes too long is not sent again. Resolves with the last response, rejects with the last error.
   */
  request(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Sends its requests over `pool`, and those of the second attempt over connections of its own. */
export function readerOver(pool: HttpPool, url: string, options: Options): HttpReader {
  const second = openHttpPool(url, options);
  const again = (request: Request) => second.request({ ...request, reset: true });
  return {
    async request(request) {
      let response: Response;
      try {
        response = await pool.request(request);
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        return again(request);
      }
      if (response.statusCode !== 503) return response;
      await response.body.dump();
      return again(request);
    },
    close: () => second.close(),
  };
}

const UNANSWERED = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Was the connection refused, or did it end before there was a response? */
function isUnanswered(error: unknown): boolean {
  return UNANSWERED.has(String((error as { code?: unknown }).code));
}
