import { setTimeout as pause } from 'node:timers/promises';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  visit,
} from 'graphql';
import type { VersionAnswer, VersionQuestion, ViewVersion } from '#contracts/mypage.ts';
import { signedIn, type Viewer } from '#platform/auth/viewer.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { correlationId, withCorrelation } from '#platform/observability/correlation.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { BookingWatch, Watch } from './feeds.ts';
import { LiveOperation, type Member } from './live-operation.ts';
import { Payload } from './payload.ts';
import type { WatchedViews } from './watched-views.ts';

/** A client's end of one subscription, in whatever protocol it speaks. */
export interface Sink {
  /** Sends answers, in order; of a slow client's, the latest of each topic counts. */
  next(payloads: readonly Payload[]): void;
  /** Nothing follows; what was sent is delivered first. */
  complete(): void;
}

/** A valid subscription, as a client asked for it. */
export interface Subscribing {
  document: DocumentNode;
  text: string;
  operationName: string | null;
  variables: Record<string, unknown>;
  viewer: Viewer | null;
}

export interface Subscriptions {
  /**
   * Begins; resolves with what ends it, when the present state was sent. Rejects with a GraphQLError
   * for what the client may not or cannot have.
   */
  open(asked: Subscribing, sink: Sink): Promise<() => void>;
  readonly count: number;
}

/** No status follows; the rest of the view, like a refund, may. */
const FINAL = new Set(['CANCELLED', 'DECLINED', 'EXPIRED', 'REJECTED']);
/** A refund may still fail: the subscription does not wait longer for the rest. */
const COMPLETES_WITHIN_MS = 30_000;
/** Where mypage does not say whether a view is complete, as versions before this one. */
const SETTLE_MS = 1_000;
/** A booking that was made just now appears in mypage within a moment. */
const APPEARS_WITHIN_MS = 3_000;
const LOOK_EVERY_MS = 150;

export interface SubscriptionLimits {
  perUser: number;
  perProcess: number;
}

export function subscriptions(deps: {
  executor: Executor<RouterContext>;
  views: WatchedViews;
  limits: SubscriptionLimits;
  /** How long a final view is waited for to be complete. */
  completesWithinMs?: number;
  formatError: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
}): Subscriptions {
  const { executor, views, limits, formatError } = deps;
  const { completesWithinMs = COMPLETES_WITHIN_MS } = deps;
  const live = new Map<string, Live>();
  const perUser = new Map<string, number>();
  let count = 0;

  function prepare({ document, operationName, text, variables }: Subscribing): PreparedOperation {
    const prepared = executor.prepare(document, operationName, text);
    if ('errors' in prepared) throw prepared.errors[0];
    const [wrong] = executor.checkVariables(prepared, variables);
    if (wrong) throw Object.assign(wrong, { extensions: { code: 'BAD_USER_INPUT' } });
    return prepared;
  }

  /** Counts one more of the user's; returns what takes it back. */
  function reserve(userId: string): () => void {
    const own = perUser.get(userId) ?? 0;
    if (own >= limits.perUser) {
      throw tooMany(`You have ${own} subscriptions open, as many as are allowed: end some first.`);
    }
    if (count >= limits.perProcess) throw tooMany('This server is full: try again in a moment.');
    perUser.set(userId, own + 1);
    count += 1;
    return () => {
      count -= 1;
      const left = (perUser.get(userId) ?? 1) - 1;
      if (left === 0) perUser.delete(userId);
      else perUser.set(userId, left);
    };
  }

  /** The operation as somebody runs it already, or from now on. */
  function liveOperation(
    key: string,
    asked: Subscribing,
    prepared: PreparedOperation,
    of: Watched,
  ) {
    const known = live.get(key);
    if (known) return known;
    const { variables, viewer } = asked;
    const answer = async (version: ViewVersion): Promise<ExecutionResult> => {
      try {
        const context = { viewer };
        return await executor.executeEvent(prepared, { rootValue: version, variables, context });
      } catch (error) {
        return { errors: [error as GraphQLError] };
      }
    };
    const operation = new LiveOperation((version) =>
      withCorrelation(correlationId(), async () => {
        const { errors, ...rest } = await answer(version);
        const shown = { ...rest, ...(errors && { errors: errors.map(formatted) }) };
        return new Payload(shown, version.bookingId);
      }),
    );
    const tell = operation.tell.bind(operation);
    const watch =
      of.bookingId === undefined
        ? views.customer(of.customerId, tell)
        : Promise.resolve(views.booking(of.bookingId, tell));
    const begun = { operation, watch };
    live.set(key, begun);
    watch.catch(() => live.delete(key));
    return begun;
  }

  function formatted(error: GraphQLError): GraphQLFormattedError {
    const plain = error instanceof GraphQLError ? error : new GraphQLError(String(error));
    return formatError(plain.toJSON(), error);
  }

  function leave(key: string, { operation, watch }: Live, member: Member): void {
    operation.leave(member);
    if (!operation.isDeserted || live.get(key)?.operation !== operation) return;
    live.delete(key);
    watch.then((watching) => watching.end()).catch(() => {});
  }

  /** What mypage knows of the booking; another's is answered like one that does not exist. */
  async function readView(question: VersionQuestion, viewer: Viewer): Promise<VersionAnswer> {
    const deadline = performance.now() + APPEARS_WITHIN_MS;
    for (;;) {
      const answer = await views.ask(question).catch(() => {
        throw unavailable();
      });
      if (answer && mayWatch(viewer, answer)) return answer;
      if (performance.now() > deadline) throw notFound();
      await pause(LOOK_EVERY_MS);
    }
  }

  return {
    get count() {
      return count;
    },

    async open(asked, sink) {
      const prepared = prepare(asked);
      const viewer = signedIn(asked.viewer);
      const { name, arguments: given } = executor.rootField(prepared, asked.variables);
      const ofOne = name === 'bookingStatus';
      const watched = ofOne
        ? { bookingId: parseId(String(given.bookingId), 'bookingId') }
        : { customerId: viewer.userId };
      const release = reserve(viewer.userId);
      let timer: NodeJS.Timeout | undefined;
      let ended = false;

      const finishAfter = (view: ViewEnd, settleMs: number) => {
        if (!FINAL.has(view.status) || ended) return;
        if (timer && view.isComplete !== true) return;
        clearTimeout(timer);
        timer = setTimeout(
          () => {
            end();
            sink.complete();
          },
          view.isComplete === undefined ? settleMs : view.isComplete ? 0 : completesWithinMs,
        );
      };
      const member: Member = {
        take(told) {
          sink.next(told.map(({ payload }) => payload));
          const last = told.at(-1);
          if (ofOne && last) finishAfter(last.version, SETTLE_MS);
        },
      };
      const key = keyOf(asked, prepared, watched);
      const joined = liveOperation(key, asked, prepared, watched);
      joined.operation.join(member);
      const end = () => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        leave(key, joined, member);
        release();
      };

      try {
        const watch = await joined.watch.catch(() => {
          throw unavailable();
        });
        if (watched.bookingId === undefined) {
          await joined.operation.catchUp(member, []);
          return end;
        }
        const after = (given.afterVersion as number | null | undefined) ?? undefined;
        const question = { bookingId: watched.bookingId, ...(after !== undefined && { after }) };
        const answer = await readView(question, viewer);
        (watch as BookingWatch).startAt(answer.version);
        const known = answer.versions.length > 0 ? undefined : answer.version;
        await joined.operation.catchUp(member, answer.versions, known);
        if (answer.versions.length === 0) finishAfter(answer, 0);
        return end;
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}

type ViewEnd = Pick<VersionAnswer, 'status' | 'isComplete'>;

type Watched =
  | { bookingId: string; customerId?: never }
  | { customerId: string; bookingId?: never };

interface Live {
  operation: LiveOperation;
  watch: Promise<Watch>;
}

function mayWatch({ userId, roles }: Viewer, { customerId }: VersionAnswer): boolean {
  return customerId === userId || roles.includes('operator');
}

/** Who has the same key is told the same. */
function keyOf(asked: Subscribing, prepared: PreparedOperation, watched: Watched): string {
  const names = sharedVariables(prepared, asked.document);
  const variables = names.map((name) => asked.variables[name] ?? null);
  return JSON.stringify([numberOf(prepared), variables, asked.viewer, watched]);
}

const numbers = new WeakMap<PreparedOperation, number>();
let prepareds = 0;

/** In thousands of keys, a number instead of the operation's text. */
function numberOf(prepared: PreparedOperation): number {
  const known = numbers.get(prepared);
  if (known !== undefined) return known;
  prepareds += 1;
  numbers.set(prepared, prepareds);
  return prepareds;
}

const known = new WeakMap<PreparedOperation, readonly string[]>();

/** The variables that decide the answers: all but those that only say what is subscribed to. */
function sharedVariables(prepared: PreparedOperation, document: DocumentNode): readonly string[] {
  let names = known.get(prepared);
  if (names) return names;
  const found = new Set<string>();
  const roots = new Set<unknown>(prepared.operation.selectionSet.selections);
  visit(document, {
    VariableDefinition: () => false,
    Argument: (_node, _key, _parent, _path, ancestors) =>
      roots.has(ancestors.at(-2)) || roots.has(ancestors.at(-1)) ? false : undefined,
    Variable: (node) => void found.add(node.name.value),
  });
  names = [...found].sort();
  known.set(prepared, names);
  return names;
}

function notFound(): GraphQLError {
  return new GraphQLError('There is no such booking.', { extensions: { code: 'NOT_FOUND' } });
}

function tooMany(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } });
}

function unavailable(): GraphQLError {
  return new GraphQLError('The mypage part of the system does not answer: try again.', {
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
}
