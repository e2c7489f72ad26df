import type { z } from 'zod';
import type { SignRequest } from '../auth/internal-requests.ts';
import { inChildSpan, tracingHeaders } from '../tracing/tracing.ts';
import { openHttpPool } from './http-pool.ts';

interface PeerRequest {
  path: string;
  /** Sent as JSON, by POST; without it the request is a GET. */
  body?: object;
}

/** Sends requests to the internal endpoints of other contexts. */
export interface PeerClient<Peer extends string> {
  /**
   * Resolves with the response as `schema` reads it. Rejects when it is not HTTP 200, does not match,
   * or takes longer than the client's timeout.
   */
  request<Response>(to: Peer, request: PeerRequest, schema: z.ZodType<Response>): Promise<Response>;
  /** Ends running requests. */
  close(): Promise<void>;
}

/** Opens up to `connections` to each of the `urls`; each request is signed for its receiver. */
export function openPeerClient<Peer extends string>(
  urls: Partial<Record<Peer, string>>,
  authorize: SignRequest,
  { connections, timeoutMs }: { connections: number; timeoutMs: number },
): PeerClient<Peer> {
  const pools = new Map(
    Object.entries(urls as Record<string, string>).map(([name, url]) => [
      name,
      openHttpPool(url, { connections }),
    ]),
  );
  return {
    request: (to, { path, body }, schema) =>
      inChildSpan(`request ${to}`, { kind: 'client' }, async () => {
        const pool = pools.get(to);
        if (!pool) throw new Error(`The address of ${to} is not known.`);
        const response = await pool.request({
          method: body ? 'POST' : 'GET',
          path,
          headers: {
            authorization: await authorize(to),
            ...tracingHeaders(),
            ...(body && { 'content-type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        if (response.statusCode !== 200) {
          await response.body.dump();
          throw new Error(`${to} responded to ${path} with HTTP ${response.statusCode}`);
        }
        return schema.parse(await response.body.json());
      }),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
