import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { VersionQuestion, ViewNotification, ViewVersion } from '#contracts/mypage.ts';
import { errorFormatter } from '#platform/graphql/errors.ts';
import { DateTime } from '#platform/graphql/scalars.ts';
import type { Subscriber } from '#platform/messaging/notifications.ts';
import { silent } from '../../tests/support/database.ts';
import { admissionGate } from '../src/admission/admission.ts';
import { costRules } from '../src/admission/cost-rules.ts';
import { documentExaminer } from '../src/admission/documents.ts';
import { automaticOperations } from '../src/admission/persisted-operations.ts';
import { Executor } from '../src/executor/executor.ts';
import type { RouterContext } from '../src/executor/subgraph-client.ts';
import { connectionLimits } from '../src/live/connection-limits.ts';
import { IDLE_TIMES } from '../src/live/idle-close.ts';
import { operations } from '../src/live/operations.ts';
import { subscriptions } from '../src/live/subscriptions.ts';
import type { ViewSource } from '../src/live/view-source.ts';
import { watchedViews } from '../src/live/watched-views.ts';
import { serveWebSockets } from '../src/live/websocket.ts';

const AT = '2030-06-03T01:00:00.000Z';

/** These tests ask for large answers. */
const UNLIMITED = {
  depth: 1_000,
  aliases: 1_000,
  directives: 1_000,
  rootFields: 1_000,
  selections: 100_000,
  tokens: 100_000,
};

/** Mypage as the router sees it, in memory: what it keeps, and what it announces. */
export class Mypage implements ViewSource {
  readonly #versions = new Map<string, { customerId: string; at: string; view: ViewVersion }[]>();
  #subscriber: Subscriber | undefined;
  /** How often it was asked for versions. */
  asked = 0;
  /** Do notifications arrive? */
  isHeard = true;
  /** How long an answer takes, in milliseconds. */
  delay: () => number = () => 0;

  /** There is a new version; returns it. */
  change(
    bookingId: string,
    customerId = 'kim',
    status: ViewVersion['status'] = 'PAID',
    isComplete?: boolean,
  ): number {
    const kept = this.#versions.get(bookingId) ?? [];
    this.#versions.set(bookingId, kept);
    const version = kept.length + 1;
    kept.push({
      customerId,
      at: new Date().toISOString(),
      view: {
        bookingId,
        booking: { id: bookingId },
        status,
        spaceName: 'Space',
        slot: { startAt: AT, endAt: AT },
        price: { amount: 1, currency: 'KRW' },
        paymentStatus: null,
        refunded: { amount: 0, currency: 'KRW' },
        registrationStatus: null,
        timeline: [],
        version,
        updatedAt: AT,
        ...(isComplete !== undefined && { isComplete }),
      },
    });
    if (this.isHeard) this.announce({ bookingId, customerId, version });
    return version;
  }

  announce(notification: ViewNotification): void {
    this.#subscriber?.onMessage(JSON.stringify([notification]));
  }

  reconnect(): void {
    this.#subscriber?.onConnected();
  }

  listen = (subscriber: Subscriber) => {
    this.#subscriber = subscriber;
    return { close: async () => {} };
  };

  async ask({ bookingId, after, since }: VersionQuestion) {
    this.asked += 1;
    // Read now, answered later: as over a network.
    const kept = [...(this.#versions.get(bookingId) ?? [])];
    await pause(this.delay());
    const last = kept.at(-1);
    if (!last) return null;
    const asked = kept.filter(
      ({ view, at }) =>
        (after !== undefined && view.version > after) || (since !== undefined && at >= since),
    );
    const versions = after === undefined && since === undefined ? [last] : asked;
    return {
      customerId: last.customerId,
      status: last.view.status,
      version: last.view.version,
      isComplete: last.view.isComplete,
      versions: versions.map(({ view }) => view),
    };
  }

  async notifications(since: string) {
    const now = new Date().toISOString();
    const notifications = [...this.#versions].flatMap(([bookingId, kept]) =>
      kept
        .filter(({ at }) => at >= since)
        .map(({ customerId, at, view }) => ({
          bookingId,
          customerId,
          version: view.version,
          projectedAt: at,
        })),
    );
    return { notices: notifications, now, next: null };
  }

  async close() {}
}

/** The router's live part on a real HTTP server, with mypage and the other subgraphs in memory. */
export async function openLiveRouter(
  limits = { perUser: 1_000_000, perProcess: 1_000_000 },
  connections = { perAddress: 1_000, perProcess: 1_000, ...IDLE_TIMES },
  completesWithinMs = 30_000,
) {
  const mypage = new Mypage();
  /** What book was asked, in the executor's words. */
  const asked: { query: string; variables: Record<string, unknown> }[] = [];
  const book = {
    async ask(request: (typeof asked)[number]) {
      asked.push(request);
      const { representations } = request.variables as { representations: { id: string }[] };
      await pause(book.delay());
      return { data: { _entities: representations.map(() => ({ headcount: 3 })) } };
    },
    delay: () => 0,
  };
  const nobody = { ask: async () => ({ data: {} }) };
  const executor = new Executor<RouterContext>({
    supergraphSdl: readFileSync('router/supergraph.graphql', 'utf8'),
    subgraphs: { book, payment: nobody, space: nobody, mypage: nobody },
    scalars: [DateTime],
  });
  const views = watchedViews({ source: mypage, listen: mypage.listen, logger: silent });
  const formatError = errorFormatter(silent);
  const open = subscriptions({ executor, views, limits, completesWithinMs, formatError });
  const server: Server = createServer();
  const sockets = serveWebSockets({
    server,
    path: '/graphql',
    schema: executor.schema,
    operations: operations({
      gate: admissionGate({
        documents: documentExaminer({
          schema: executor.schema,
          limits: UNLIMITED,
          rules: costRules(readFileSync('router/supergraph.graphql', 'utf8')),
          introspection: true,
        }),
        costLimit: 10_000,
        persisted: automaticOperations(),
        rates: { mutate: async () => {}, read: () => {} },
      }),
      subscriptions: open,
      answer: async () => ({ data: {} }),
      formatError,
      observe: () => {},
    }),
    // The token is the user's name.
    identify: async (token) =>
      token === undefined
        ? null
        : { viewer: { userId: token, roles: ['customer'] }, expiresAt: null },
    addressOf: () => '127.0.0.1',
    mayConnect: () => true,
    limits: connectionLimits(connections),
    idleTimes: connections,
    largestMessage: 128 * 1_024,
    logger: silent,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    mypage,
    book,
    asked,
    subscriptions: open,
    url: `ws://127.0.0.1:${port}/graphql`,
    async close() {
      await sockets.leave(0);
      await views.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
