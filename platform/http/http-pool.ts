import { Pool } from 'undici';

/** An idle connection is closed after 4 s, or after at most 10 s where the server offers more. */
const keepAlive = { keepAliveTimeout: 4_000, keepAliveMaxTimeout: 10_000 };
/** A limit, so that new replicas also get connections of a busy service. */
const MAX_AGE_MS = 30_000;

type Options = NonNullable<ConstructorParameters<typeof Pool>[1]> & { maxAgeMs?: number };
type Request = Parameters<Pool['request']>[0];
export type HttpResponse = Awaited<ReturnType<Pool['request']>>;

/** Connections to one service. */
export interface HttpPool {
  request(request: Request): Promise<HttpResponse>;
  /** Lets running requests finish. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Opens up to `connections` of them, and replaces them after `maxAgeMs` (30 s). Not by undici's `clientTtl`:
 * when all connections are old, it lets a request wait for ever.
 */
export function openHttpPool(
  url: string,
  { maxAgeMs = MAX_AGE_MS, ...options }: Options,
): HttpPool {
  const open = () => new Pool(url, { connectTimeout: 2_000, ...keepAlive, ...options });
  const closing = new Set<Pool>();
  let current = open();
  let openedAt = performance.now();

  function replace(): void {
    const old = current;
    current = open();
    openedAt = performance.now();
    closing.add(old);
    const remove = () => void closing.delete(old);
    old.close().then(remove, remove);
  }

  return {
    request(request) {
      if (performance.now() - openedAt >= maxAgeMs) replace();
      return current.request(request);
    },
    close: () => current.close(),
    async destroy() {
      await Promise.all([current, ...closing].map((pool) => pool.destroy()));
    },
  };
}

/** Of a replica that is about to stop, or of a proxy whose connection to one ended. */
const RETRIED_STATUSES = new Set([502, 503]);

/** Sends requests that change nothing, and so may be sent twice. */
export interface RetryingHttpClient {
  /**
   * Sends a request. Retries once over a new connection when the connection was refused or ended before
   * a response, or when the response was 503, or 502 of a proxy that saw the same: behind one address there
   * may be other replicas. A request that timed out is not retried. Resolves with the last response, rejects with the last error.
   */
  request(request: Request): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** Sends requests over `pool`, and retries over connections of its own. */
export function openRetryingHttpClient(
  pool: HttpPool,
  url: string,
  options: Options,
): RetryingHttpClient {
  const retryPool = openHttpPool(url, options);
  const retry = (request: Request) => retryPool.request({ ...request, reset: true });
  return {
    async request(request) {
      let response: HttpResponse;
      try {
        response = await pool.request(request);
      } catch (error) {
        if (!isWithoutResponse(error)) throw error;
        return retry(request);
      }
      if (!RETRIED_STATUSES.has(response.statusCode)) return response;
      await response.body.dump();
      return retry(request);
    },
    close: () => retryPool.close(),
  };
}

const CONNECTION_LOST_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Was the connection refused, or did it end before there was a response? */
function isWithoutResponse(error: unknown): boolean {
  return CONNECTION_LOST_CODES.has(String((error as { code?: unknown }).code));
}
