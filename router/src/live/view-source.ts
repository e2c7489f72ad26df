import {
  MAX_POSITIONS,
  type RecentNotifications,
  recentNotifications,
  type VersionQuery,
  type VersionResult,
  VIEW_NOTIFICATIONS_PATH,
  VIEW_VERSIONS_PATH,
  versionsResponse,
} from '#contracts/mypage.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { openHttpPool, openRetryingHttpClient } from '#platform/http/http-pool.ts';

/** The reads that mypage serves of its views. All of them reject when it does not respond in time. */
export interface ViewSource {
  /** The versions that match the query; null when there is no such view. */
  readVersions(query: VersionQuery): Promise<VersionResult | null>;
  /** One page of the notifications of what was projected since that instant, by mypage's clock. */
  notifications(since: string, after: string | null): Promise<RecentNotifications>;
  close(): Promise<void>;
}

interface PendingRead {
  query: VersionQuery;
  resolve: (result: VersionResult | null) => void;
  reject: (error: unknown) => void;
}

const MAX_CONCURRENT_REQUESTS = 4;

/**
 * Reads from mypage over HTTP. Queries of one turn of the event loop share a request, and equal queries
 * are sent once: a thousand subscribers of one booking cost as much as one.
 */
export function viewSource(url: string, authorize: SignRequest, timeoutMs: number): ViewSource {
  const options = {
    connections: MAX_CONCURRENT_REQUESTS,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  };
  const http = openHttpPool(url, options);
  const reads = openRetryingHttpClient(http, url, options);
  let pending = new Map<string, PendingRead[]>();
  let isScheduled = false;
  let running = 0;

  async function requestJson(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<unknown> {
    const response = await reads.request({
      method,
      path,
      headers: {
        authorization: await authorize('mypage'),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.statusCode === 200) return response.body.json();
    await response.body.dump();
    throw new Error(`mypage responded to ${path} with HTTP ${response.statusCode}`);
  }

  async function requestBatch(batch: PendingRead[][]): Promise<void> {
    try {
      const bookings = batch.map(([first]) => (first as PendingRead).query);
      const { results } = versionsResponse.parse(
        await requestJson('POST', VIEW_VERSIONS_PATH, { bookings }),
      );
      for (const [index, reads] of batch.entries()) {
        for (const { resolve } of reads) resolve(results[index] ?? null);
      }
    } catch (error) {
      for (const { reject } of batch.flat()) reject(error);
    }
  }

  async function flush(): Promise<void> {
    isScheduled = false;
    while (pending.size > 0 && running < MAX_CONCURRENT_REQUESTS) {
      const batch = [...pending.values()].slice(0, MAX_POSITIONS);
      pending = new Map([...pending].slice(MAX_POSITIONS));
      running += 1;
      void requestBatch(batch).finally(() => {
        running -= 1;
        schedule();
      });
    }
  }

  function schedule(): void {
    if (isScheduled || pending.size === 0) return;
    isScheduled = true;
    setImmediate(flush);
  }

  return {
    readVersions: (query) =>
      new Promise((resolve, reject) => {
        const key = `${query.bookingId} ${query.after} ${query.since}`;
        const reads = pending.get(key) ?? [];
        pending.set(key, reads);
        reads.push({ query, resolve, reject });
        schedule();
      }),
    async notifications(since, after) {
      const params = new URLSearchParams({ since, ...(after && { after }) });
      return recentNotifications.parse(
        await requestJson('GET', `${VIEW_NOTIFICATIONS_PATH}?${params}`),
      );
    },
    close: async () => void (await Promise.all([http.destroy(), reads.close()])),
  };
}
