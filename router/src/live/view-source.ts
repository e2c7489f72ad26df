import {
  MAX_POSITIONS,
  type RecentNotifications,
  recentNotifications,
  type VersionAnswer,
  type VersionQuestion,
  VIEW_NOTIFICATIONS_PATH,
  VIEW_VERSIONS_PATH,
  versionAnswers,
} from '#contracts/mypage.ts';
import type { Authorize } from '#platform/auth/internal-tokens.ts';
import { openHttpPool, readerOver } from '#platform/http/http-pool.ts';

/** What mypage keeps of its views. Everything rejects when it does not answer in time. */
export interface ViewSource {
  /** The versions that the question asks for; null: there is no such view. */
  ask(question: VersionQuestion): Promise<VersionAnswer | null>;
  /** A page of what was projected since that instant, by mypage's clock. */
  notifications(since: string, after: string | null): Promise<RecentNotifications>;
  close(): Promise<void>;
}

interface Waiting {
  question: VersionQuestion;
  resolve: (answer: VersionAnswer | null) => void;
  reject: (error: unknown) => void;
}

const MAX_REQUESTS = 4;

/**
 * Asks mypage over HTTP. Questions of one moment go in one request, equal ones once: a thousand
 * subscribers of one booking cost as much as one.
 */
export function viewSource(url: string, authorize: Authorize, timeoutMs: number): ViewSource {
  const options = {
    connections: MAX_REQUESTS,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  };
  const http = openHttpPool(url, options);
  const reads = readerOver(http, url, options);
  let waiting = new Map<string, Waiting[]>();
  let scheduled = false;
  let running = 0;

  async function json(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
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
    throw new Error(`mypage answered ${path} with HTTP ${response.statusCode}`);
  }

  async function askAll(group: Waiting[][]): Promise<void> {
    try {
      const bookings = group.map(([first]) => (first as Waiting).question);
      const { answers } = versionAnswers.parse(
        await json('POST', VIEW_VERSIONS_PATH, { bookings }),
      );
      for (const [index, askers] of group.entries()) {
        for (const { resolve } of askers) resolve(answers[index] ?? null);
      }
    } catch (error) {
      for (const { reject } of group.flat()) reject(error);
    }
  }

  async function flush(): Promise<void> {
    scheduled = false;
    while (waiting.size > 0 && running < MAX_REQUESTS) {
      const group = [...waiting.values()].slice(0, MAX_POSITIONS);
      waiting = new Map([...waiting].slice(MAX_POSITIONS));
      running += 1;
      void askAll(group).finally(() => {
        running -= 1;
        schedule();
      });
    }
  }

  function schedule(): void {
    if (scheduled || waiting.size === 0) return;
    scheduled = true;
    setImmediate(flush);
  }

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        const key = `${question.bookingId} ${question.after} ${question.since}`;
        const askers = waiting.get(key) ?? [];
        waiting.set(key, askers);
        askers.push({ question, resolve, reject });
        schedule();
      }),
    async notifications(since, after) {
      const query = new URLSearchParams({ since, ...(after && { after }) });
      return recentNotifications.parse(await json('GET', `${VIEW_NOTIFICATIONS_PATH}?${query}`));
    },
    close: async () => void (await Promise.all([http.destroy(), reads.close()])),
  };
}
