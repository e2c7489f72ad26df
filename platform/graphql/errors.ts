import { unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { failureKind } from '../messaging/failures.ts';
import { correlationId } from '../observability/correlation.ts';
import type { Logger } from '../observability/logger.ts';

/** A bad request: the client sent invalid input. `field` names it. */
export function badInput(field: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', field } });
}

export function unauthenticated(message = 'Sign in: this needs a bearer token.'): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED' } });
}

export function forbidden(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });
}

/** The request is valid but cannot be served now; the response is HTTP 503. */
export function serviceUnavailable(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
  });
}

/** Codes whose messages are written for clients; everything else is a fault and is masked. */
export const CLIENT_CODES: ReadonlySet<string> = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'NOT_FOUND',
  'OPERATION_NOT_REGISTERED',
  'OPERATION_RESOLUTION_FAILURE',
  'OPERATION_TOO_COSTLY',
  'OPERATION_TOO_DEEP',
  'PAYLOAD_TOO_LARGE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'RATE_LIMITED',
  'REQUEST_TIMEOUT',
  'SERVICE_UNAVAILABLE',
  'TOO_MANY_ALIASES',
  'TOO_MANY_DIRECTIVES',
  'TOO_MANY_ROOT_FIELDS',
  'TOO_MANY_SELECTIONS',
  'TOO_MANY_SUBSCRIPTIONS',
  'TOO_MANY_TOKENS',
  'UNAUTHENTICATED',
]);

/**
 * Makes Apollo Server's `formatError`: every error has a code and the correlation id. A fault is logged
 * and becomes an INTERNAL_SERVER_ERROR, or SERVICE_UNAVAILABLE where the same request may succeed later: a database
 * restarts, fails over or is full. No stack, SQL or address reaches a client.
 */
export function errorFormatter(logger: Logger) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const original = formatted.extensions?.code;
    const code = typeof original === 'string' ? original : 'INTERNAL_SERVER_ERROR';
    const id = correlationId();
    const place = { locations: formatted.locations, path: formatted.path };
    if (CLIENT_CODES.has(code)) {
      const field = formatted.extensions?.field;
      return {
        message: formatted.message,
        ...place,
        extensions: { code, correlationId: id, ...(field !== undefined && { field }) },
      };
    }
    logger.error({ err: unwrapResolverError(error), path: formatted.path }, 'a request failed');
    if (failureKind(unwrapResolverError(error)) === 'transient') {
      return {
        message: 'A part of the system does not work at the moment: try again.',
        ...place,
        extensions: { code: 'SERVICE_UNAVAILABLE', correlationId: id },
      };
    }
    return {
      message: 'Something went wrong on our side. Name the correlation id when you report it.',
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR', correlationId: id },
    };
  };
}
