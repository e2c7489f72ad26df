import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** Masks faults and formats errors for clients: Apollo Server's `formatError`. */
export type FormatError = (
  formatted: GraphQLFormattedError,
  error: unknown,
) => GraphQLFormattedError;

/** Why a request is not executed. */
export class RequestErrors extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super(errors.map(({ message }) => message).join(' '));
    this.errors = errors;
  }
}

/** The HTTP status and headers of a refusal; the default is 400. */
export interface HttpHead {
  status: number;
  headers?: Record<string, string>;
}

/** A refusal with one error. The extensions are sent to the client, except `http`. */
export function refusal(
  code: string,
  message: string,
  { http, ...extensions }: { http?: HttpHead; retryAfterSeconds?: number; field?: string } = {},
): RequestErrors {
  const error = new GraphQLError(message, { extensions: { code, ...extensions } });
  if (http) error.extensions.http = http;
  return new RequestErrors([error]);
}

export function withCode(error: GraphQLError, code: string): GraphQLError {
  error.extensions.code = code;
  return error;
}

/** The error as it is sent to the client, with faults masked. */
export function toClientError(error: unknown, formatError: FormatError): GraphQLError {
  const graphqlError = error instanceof GraphQLError ? error : new GraphQLError(String(error));
  const { message, extensions } = formatError(graphqlError.toJSON(), error);
  const { retryAfterSeconds } = graphqlError.extensions;
  const shown = { ...extensions, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  return new GraphQLError(message, { nodes: graphqlError.nodes, extensions: shown });
}

/** The HTTP status and headers for a response with these errors. */
export function toHttpHead(errors: readonly GraphQLError[]): HttpHead {
  return (errors[0]?.extensions.http as HttpHead | undefined) ?? { status: 400 };
}

/** Removes suggestions from errors, which would disclose names of a schema that is not public. */
export function withoutSuggestions(formatError: FormatError): FormatError {
  return (formatted, error) => {
    const shown = formatError(formatted, error);
    // Bounded against slow matching, because messages quote what clients send.
    const message = shown.message.replaceAll(/ Did you mean (?:[^"?]|"\w*"){0,500}\?/g, '');
    return { ...shown, message };
  };
}
