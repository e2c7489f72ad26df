import { Pool } from 'undici';

/**
 * Connections between services do not last: an idle one is closed after 4 s, at most 10 s where the
 * server offers more, and one that is 30 s old after its request. So replicas that are new get their
 * share, and those that are gone are forgotten. In milliseconds.
 */
const ages = { keepAliveTimeout: 4_000, keepAliveMaxTimeout: 10_000, clientTtl: 30_000 };

type Options = ConstructorParameters<typeof Pool>[1];
type Request = Parameters<Pool['request']>[0];
type Response = Awaited<ReturnType<Pool['request']>>;

/** Connections to one service, `options.connections` of them at most. */
export function openHttpPool(url: string, options: Options): Pool {
  return new Pool(url, { connectTimeout: 2_000, ...ages, ...options });
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
export function readerOver(pool: Pool, url: string, options: Options): HttpReader {
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
