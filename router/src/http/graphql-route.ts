import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { GraphQLError } from 'graphql';
import { toOutcome } from '#platform/graphql/outcome.ts';
import { withTimeout } from '#platform/lifecycle/timeout.ts';
import type { Admission } from '../admission/admission.ts';
import {
  type FormatError,
  RequestErrors,
  toClientError,
  toHttpHead,
} from '../admission/refusals.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import { type Identify, type Identity, readAuthorization } from '../identity/identity.ts';
import { type EventStreams, streamProtocol } from '../live/event-streams.ts';
import type { AccessLog, LoggedOperation, ObservedContext } from './access-log.ts';
import { type AdmittedHttpRequest, httpAdmission } from './http-admission.ts';
import { responseTimeout } from './http-errors.ts';

/**
 * GraphQL over HTTP: every request passes admission. Streams are served by the live part; Apollo Server
 * responds to all others. It parses the same request again, and executes the document that was examined.
 */
export function serveGraphql(deps: {
  app: FastifyInstance;
  path: string;
  admission: Admission;
  apollo: ApolloServer<RouterContext & ObservedContext>;
  /** Null: there are no streams, and subscriptions are refused. */
  serveStream: EventStreams['serve'] | null;
  log: AccessLog;
  identify: Identify;
  findAddress: (request: FastifyRequest['raw']) => string;
  formatError: FormatError;
  /** The timeout of responses that are no stream. */
  responseTimeoutMs: number;
}): void {
  const { app, path, apollo, serveStream, log, findAddress, formatError, responseTimeoutMs } = deps;
  const identities = new WeakMap<FastifyRequest, Identity | null>();
  const findStream =
    serveStream &&
    (({ method, headers }: FastifyRequest) =>
      method === 'POST' ? streamProtocol(headers.accept) : null);
  const admit = httpAdmission({ ...deps, findStream });

  async function preHandler(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const operation = log.begin(request, reply, findStream?.(request)?.name ?? 'http');
    let admitted: AdmittedHttpRequest | null;
    try {
      admitted = await admit(request, operation);
    } catch (error) {
      return refuse(error, request, reply, operation, formatError);
    }
    if (!admitted) {
      log.discard(request);
      return;
    }
    const { protocol, identity } = admitted;
    identities.set(request, identity);
    if (!protocol || !serveStream) return;
    // Multipart is for subscriptions only; Apollo Server chooses the format of its own responses.
    if (admitted.request.kind !== 'subscription' && protocol.isForSubscriptionsOnly) return;
    log.beginStream(operation);
    const client = { identity, address: findAddress(request.raw) };
    await serveStream(protocol, admitted.request, client, reply);
  }

  const handle = fastifyApolloHandler(apollo, {
    context: async (request) => ({
      principal: identities.get(request)?.principal ?? null,
      authorization: readAuthorization(request.raw),
      operation: log.find(request),
    }),
  }) as RouteHandlerMethod;
  app.route({
    url: path,
    method: ['GET', 'POST', 'OPTIONS'],
    preHandler,
    handler: (request, reply) =>
      // The execution of a late response goes on, and its result is dropped.
      withTimeout(
        responseTimeoutMs,
        responseTimeout,
        handle.call(app, request, reply) as Promise<unknown>,
      ),
  });
}

function refuse(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: LoggedOperation,
  formatError: FormatError,
): FastifyReply {
  const refusal = error instanceof GraphQLError ? new RequestErrors([error]) : error;
  if (!(refusal instanceof RequestErrors)) throw error;
  operation.outcome = toOutcome(refusal.errors);
  const { status, headers = {} } = toHttpHead(refusal.errors);
  const errors = refusal.errors.map((each) => toClientError(each, formatError));
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', ...headers })
    .type(`${responseType(request.headers.accept)}; charset=utf-8`)
    .send(JSON.stringify({ errors }));
}

/** The content type that Apollo Server would choose: the newer one for clients that prefer it. */
function responseType(accept = ''): string {
  const [preferred = 'application/json'] =
    accept.match(/application\/(graphql-response\+)?json/gi) ?? [];
  return preferred.toLowerCase();
}
