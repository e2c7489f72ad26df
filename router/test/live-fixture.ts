import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { VersionQuery, ViewNotification, ViewVersion } from '#contracts/mypage.ts';
import { errorFormatter } from '#platform/graphql/errors.ts';
import { DateTime } from '#platform/graphql/scalars.ts';
import type { Subscriber } from '#platform/messaging/notifications.ts';
import { silent } from '../../tests/support/database.ts';
import { createAdmission } from '../src/admission/admission.ts';
import { readCostRules } from '../src/admission/cost-rules.ts';
import { createDocuments } from '../src/admission/documents.ts';
import { automaticOperations } from '../src/admission/persisted-operations.ts';
import { Executor } from '../src/executor/executor.ts';
import type { RouterContext } from '../src/executor/subgraph-client.ts';
import { connectionLimits } from '../src/live/connection-limits.ts';
import { IDLE_TIMES } from '../src/live/idle-close.ts';
import { operations } from '../src/live/operations.ts';
import { subscriptions } from '../src/live/subscriptions.ts';
import type { ViewSource } from '../src/live/view-source.ts';
import { watchedCalendars } from '../src/live/watched-calendars.ts';
import { watchedViews } from '../src/live/watched-views.ts';
import { serveWebSockets } from '../src/live/websocket.ts';

import { BookCalendars } from './book-calendars.ts';

const AT = '2030-06-03T01:00:00.000Z';

/** These tests need large responses. */
const UNLIMITED = {
  depth: 1_000,
  aliases: 1_000,
  directives: 1_000,
  rootFields: 1_000,
  selections: 100_000,
  tokens: 100_000,
};

interface StoredVersion {
  customerId: string;
  at: string;
  view: ViewVersion;
}

/** The host and space of a booking, as mypage knows them. */
export interface HostedSpace {
  hostId: string;
  spaceId: string;
}

/** Mypage in memory: the versions it stores, and the notifications it publishes. */
export class Mypage implements ViewSource {
  readonly #versions = new Map<string, StoredVersion[]>();
  #subscriber: Subscriber | undefined;
  /** The number of reads of versions. */
  reads = 0;
  /** Whether notifications arrive. */
  isConnected = true;
  /** The duration of a read in milliseconds. */
  delay: () => number = () => 0;

  /** Stores and announces a new version; returns it. */
  change(
    bookingId: string,
    customerId = 'kim',
    status: ViewVersion['status'] = 'PAID',
    isComplete?: boolean,
    hosted?: HostedSpace,
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
        ...(hosted && { host: toHost(hosted, customerId) }),
      },
    });
    if (this.isConnected) {
      this.announce({ bookingId, customerId, version, ...(hosted && { hostId: hosted.hostId }) });
    }
    return version;
  }

  /** Stores and announces a new version of a booking at a host's space; returns it. */
  changeAt(hosted: HostedSpace, bookingId: string): number {
    return this.change(bookingId, 'kim', 'PAID', undefined, hosted);
  }

  /** Says whose space the booking's versions are of, as when the space's event comes late. */
  nameHost(bookingId: string, hosted: HostedSpace): void {
    for (const { view, customerId } of this.#versions.get(bookingId) ?? []) {
      view.host = toHost(hosted, customerId);
    }
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

  async readVersions({ bookingId, after, since }: VersionQuery) {
    this.reads += 1;
    // The state is read before the delay, as over a network.
    const kept = [...(this.#versions.get(bookingId) ?? [])];
    await pause(this.delay());
    const last = kept.at(-1);
    if (!last) return null;
    const newer = kept.filter(
      ({ view, at }) =>
        (after !== undefined && view.version > after) || (since !== undefined && at >= since),
    );
    const versions = after === undefined && since === undefined ? [last] : newer;
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
          hostId: view.host?.hostId ?? null,
          version: view.version,
          projectedAt: at,
        })),
    );
    return { notifications, now, next: null };
  }

  async close() {}
}

function toHost({ hostId, spaceId }: HostedSpace, customerId: string) {
  const more = { headcount: 2, note: 'We bring a cake', requestedAt: AT, decideBefore: null };
  return { hostId, spaceId, customerId, ...more };
}

/** The router's live part on an HTTP server, with mypage and the other subgraphs in memory. */
export async function openLiveRouter(
  limits = { perUser: 1_000_000, perAddress: 1_000_000, perProcess: 1_000_000 },
  connections = { perAddress: 1_000, perProcess: 1_000, ...IDLE_TIMES },
  timeouts: { completionTimeoutMs?: number; newBookingTimeoutMs?: number } = {},
) {
  const mypage = new Mypage();
  const calendars = new BookCalendars();
  /** The executor's requests to book for entities. */
  const requests: { query: string; variables: Record<string, unknown> }[] = [];
  const book = {
    async send(request: (typeof requests)[number], { principal }: RouterContext) {
      const id = request.variables.id as string | undefined;
      if (id) {
        if (book.isDown) throw new GraphQLError('book does not respond');
        const isVisible = principal?.userId === book.customers.get(id);
        return { data: { booking: isVisible ? { id } : null } };
      }
      requests.push(request);
      const { representations } = request.variables as { representations: { id: string }[] };
      await pause(book.delay());
      return { data: { _entities: representations.map(() => ({ headcount: 3 })) } };
    },
    delay: () => 0,
    isDown: false,
    /** By the ids of their bookings. */
    customers: new Map<string, string>(),
  };
  const emptySubgraph = { send: async () => ({ data: {} }) };
  const executor = new Executor<RouterContext>({
    supergraphSdl: readFileSync('router/supergraph.graphql', 'utf8'),
    subgraphs: { book, payment: emptySubgraph, space: emptySubgraph, mypage: emptySubgraph },
    scalars: [DateTime],
  });
  const views = watchedViews({ source: mypage, listen: mypage.listen, logger: silent });
  const slots = watchedCalendars({ source: calendars, listen: calendars.listen, logger: silent });
  const formatError = errorFormatter(silent);
  const liveSubscriptions = subscriptions({
    executor,
    views,
    calendars: slots,
    limits,
    ...timeouts,
    formatError,
  });
  const server: Server = createServer();
  const sockets = serveWebSockets({
    server,
    path: '/graphql',
    schema: executor.schema,
    operations: operations({
      admission: createAdmission({
        documents: createDocuments({
          schema: executor.schema,
          limits: UNLIMITED,
          rules: readCostRules(readFileSync('router/supergraph.graphql', 'utf8')),
          introspection: true,
        }),
        maxCost: 10_000,
        persisted: automaticOperations(),
        rates: { countMutations: async () => {}, spendQueryCost: () => {} },
      }),
      subscriptions: liveSubscriptions,
      execute: async () => ({ data: {} }),
      formatError,
      observe: () => {},
    }),
    // The token is the user's id; hosts are called so.
    identify: async (token) =>
      token === undefined
        ? null
        : {
            principal: { userId: token, roles: token.startsWith('host') ? ['host'] : ['customer'] },
            expiresAt: null,
          },
    findAddress: () => '127.0.0.1',
    mayConnect: () => true,
    limits: connectionLimits(connections),
    idleTimes: connections,
    maxMessageBytes: 128 * 1_024,
    logger: silent,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    mypage,
    calendars,
    book,
    requests,
    subscriptions: liveSubscriptions,
    url: `ws://127.0.0.1:${port}/graphql`,
    async close() {
      await sockets.close(0);
      await views.close();
      await slots.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
