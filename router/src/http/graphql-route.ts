import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { GraphQLError } from 'graphql';
import type { AdmittedRequest, Gate } from '../admission/admission.ts';
import { type FormatError, httpHeadOf, RequestErrors, shownError } from '../admission/refusals.ts';
import { badRequest, requestInAddress } from '../admission/request.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import { authorizationOf, type Identified } from '../identity/identity.ts';
import { type StreamProtocol, streamProtocol } from '../live/event-streams.ts';
import { outcomeOf } from '../observability/metrics.ts';
import type { AccessLog, ObservedContext, RequestedOperation } from './access-log.ts';
import { answerTooLate } from './http-errors.ts';

/** A request that is let through. */
interface Admission {
  request: AdmittedRequest;
  identified: Identified | null;
  protocol: StreamProtocol | null;
}

/**
 * GraphQL over HTTP: every request passes the gate; streams are answered by the live part, all else by
 * Apollo Server, which reads the same request again, and executes what was examined.
 */
export function serveGraphql(deps: {
  app: FastifyInstance;
  path: string;
  gate: Gate;
  apollo: ApolloServer<RouterContext & ObservedContext>;
  answerStream: (
    protocol: StreamProtocol,
    request: AdmittedRequest,
    identified: Identified | null,
    reply: FastifyReply,
  ) => Promise<void>;
  log: AccessLog;
  identify: (authorization: string | undefined) => Promise<Identified | null>;
  addressOf: (request: FastifyRequest['raw']) => string;
  formatError: FormatError;
  /** So long plain requests may take. */
  answerWithinMs: number;
}): void {
  const {
    app,
    path,
    gate,
    apollo,
    answerStream,
    log,
    identify,
    addressOf,
    formatError,
    answerWithinMs,
  } = deps;
  const identities = new WeakMap<FastifyRequest, Identified | null>();

  /** Null: it asks for nothing that the gate knows, and Apollo Server says what it makes of it. */
  async function admit(
    asked: FastifyRequest,
    operation: RequestedOperation,
  ): Promise<Admission | null> {
    const isPost = asked.method === 'POST';
    if (!isPost && asked.method !== 'GET') return null;
    const sent = isPost ? asked.body : requestInAddress(searchOf(asked));
    if (!isPost && sent === null) return null;
    holdToPreflight(asked);
    const identified = await identify(authorizationOf(asked.raw));
    identities.set(asked, identified);
    const request = gate.examine(sent);
    operation.kind = request.kind;
    operation.name = request.name;
    if (!isPost && request.kind !== 'query') {
      throw badRequest(`A ${request.kind} is not for GET: use POST.`, {
        status: 405,
        headers: { allow: 'POST' },
      });
    }
    const protocol = isPost ? streamProtocol(asked.headers.accept) : null;
    if (request.kind === 'subscription' && !protocol) {
      throw badRequest(
        'A subscription is answered by a stream: use a WebSocket, or accept text/event-stream or multipart/mixed;subscriptionSpec=1.0.',
      );
    }
    const viewer = identified?.viewer ?? null;
    await gate.charge(request, { viewer, address: addressOf(asked.raw) });
    return { request, identified, protocol };
  }

  function refuse(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    operation: RequestedOperation,
  ): FastifyReply {
    const known = error instanceof GraphQLError ? new RequestErrors([error]) : error;
    if (!(known instanceof RequestErrors)) throw error;
    operation.outcome = outcomeOf(known.errors);
    const { status, headers = {} } = httpHeadOf(known.errors);
    const errors = known.errors.map((each) => shownError(each, formatError));
    return reply
      .code(status)
      .headers({ 'cache-control': 'no-store', ...headers })
      .type(`${answerType(request.headers.accept)}; charset=utf-8`)
      .send(JSON.stringify({ errors }));
  }

  async function preHandler(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const stream = request.method === 'POST' ? streamProtocol(request.headers.accept) : null;
    const operation = log.begin(request, stream?.name ?? 'http');
    let admission: Admission | null;
    try {
      admission = await admit(request, operation);
    } catch (error) {
      return refuse(error, request, reply, operation);
    }
    if (!admission) log.forget(request);
    if (!admission?.protocol) return;
    const { protocol, identified } = admission;
    // Multipart is for subscriptions alone; Apollo's own server answers all else as it likes.
    if (admission.request.kind !== 'subscription' && protocol.isForSubscriptions) return;
    operation.isStreamed = true;
    await answerStream(protocol, admission.request, identified, reply);
  }

  const answer = fastifyApolloHandler(apollo, {
    context: async (request) => ({
      viewer: identities.get(request)?.viewer ?? null,
      operation: log.operationOf(request),
    }),
  }) as RouteHandlerMethod;
  app.route({
    url: path,
    method: ['GET', 'POST', 'OPTIONS'],
    preHandler,
    handler: (request, reply) =>
      inTime(answerWithinMs, answer.call(app, request, reply) as Promise<unknown>),
  });
}

/**
 * Pages of other sites can have a browser send simple requests, with what it knows of the user, and
 * without asking first: these are none of ours. Apollo Server has the same rule, but comes later.
 */
function holdToPreflight({ method, headers }: FastifyRequest): void {
  if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  if (method === 'POST') {
    throw badRequest('Send JSON, with the header content-type: application/json.', {
      status: 415,
    });
  }
  if (headers['x-apollo-operation-name'] || headers['apollo-require-preflight']) return;
  throw badRequest(
    'A query by GET needs the header apollo-require-preflight: true, against cross-site request forgery.',
  );
}

/** As Apollo Server reads it: two readings could see two operations. */
function searchOf({ raw: { url = '' } }: FastifyRequest): string {
  return new URL(url, 'http://router').search;
}

/** What Apollo Server would answer with: JSON under its new name for those who prefer that. */
function answerType(accept = ''): string {
  const [preferred = 'application/json'] =
    accept.match(/application\/(graphql-response\+)?json/gi) ?? [];
  return preferred.toLowerCase();
}

/** Rejects when there is no answer in time; the work for it goes on, and nobody hears of it. */
async function inTime(ms: number, answer: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(answerTooLate()), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
