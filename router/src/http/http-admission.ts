import type { FastifyRequest } from 'fastify';
import type { Admission, AdmittedRequest } from '../admission/admission.ts';
import { badRequest, readUrlRequest } from '../admission/request.ts';
import { type Identify, type Identity, readAuthorization } from '../identity/identity.ts';
import type { StreamProtocol } from '../live/event-streams.ts';
import type { LoggedOperation } from './access-log.ts';

/** An HTTP request that admission has let through. */
export interface AdmittedHttpRequest {
  request: AdmittedRequest;
  identity: Identity | null;
  /** Null: the response is no stream. */
  protocol: StreamProtocol | null;
}

/**
 * Admits requests for an operation, in the order of admission's README; rejects with the refusal. Null
 * for a request without an operation, to which Apollo Server responds.
 */
export function httpAdmission(deps: {
  admission: Admission;
  identify: Identify;
  findAddress: (request: FastifyRequest['raw']) => string;
  /** Finds the protocol of the stream that the client asks for, if any; null: there are no streams. */
  findStream: ((request: FastifyRequest) => StreamProtocol | null) | null;
}) {
  const { admission, identify, findAddress, findStream } = deps;

  return async (
    httpRequest: FastifyRequest,
    operation: LoggedOperation,
  ): Promise<AdmittedHttpRequest | null> => {
    const isPost = httpRequest.method === 'POST';
    if (!isPost && httpRequest.method !== 'GET') return null;
    const parameters = isPost ? httpRequest.body : readUrlRequest(readSearch(httpRequest));
    if (!isPost && parameters === null) return null;
    requirePreflight(httpRequest);
    const identity = await identify(readAuthorization(httpRequest.raw));
    const request = admission.examine(parameters);
    operation.kind = request.kind;
    operation.name = request.name;
    const protocol = findStream?.(httpRequest) ?? null;
    checkProtocol(request, isPost, protocol, findStream !== null);
    const principal = identity?.principal ?? null;
    await admission.charge(request, { principal, address: findAddress(httpRequest.raw) });
    return { request, identity, protocol };
  };
}

function checkProtocol(
  { kind }: AdmittedRequest,
  isPost: boolean,
  protocol: StreamProtocol | null,
  hasStreams: boolean,
): void {
  if (!isPost && kind !== 'query') {
    throw badRequest(`A ${kind} is not for GET: use POST.`, {
      status: 405,
      headers: { allow: 'POST' },
    });
  }
  if (kind === 'subscription' && !hasStreams) {
    throw badRequest('This router executes queries and mutations only, no subscriptions.');
  }
  if (kind === 'subscription' && !protocol) {
    throw badRequest(
      'The response to a subscription is a stream: use a WebSocket, or accept text/event-stream or multipart/mixed;subscriptionSpec=1.0.',
    );
  }
}

/**
 * Against cross-site request forgery: a page of another site can make a browser send simple requests
 * without a CORS preflight. Apollo Server has the same rule, but applies it only later.
 */
function requirePreflight({ method, headers }: FastifyRequest): void {
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

/** Parsed as Apollo Server parses it: two parsers could find two different operations. */
function readSearch({ raw: { url = '' } }: FastifyRequest): string {
  return new URL(url, 'http://router').search;
}
