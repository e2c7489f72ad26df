import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** How faults are masked and errors are shown: Apollo Server's `formatError`. */
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

/** How a refusal is answered over plain HTTP; without: 400. */
export interface HttpHead {
  status: number;
  headers?: Record<string, string>;
}

/** One reason, in a sentence. `extensions` are for clients. */
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

/** The error as clients may see it. */
export function shownError(error: unknown, formatError: FormatError): GraphQLError {
  const known = error instanceof GraphQLError ? error : new GraphQLError(String(error));
  const { message, extensions } = formatError(known.toJSON(), error);
  const { retryAfterSeconds } = known.extensions;
  const shown = { ...extensions, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  return new GraphQLError(message, { nodes: known.nodes, extensions: shown });
}

/** How these errors are answered over plain HTTP. */
export function httpHeadOf(errors: readonly GraphQLError[]): HttpHead {
  return (errors[0]?.extensions.http as HttpHead | undefined) ?? { status: 400 };
}

/** Where clients may not ask for the schema, errors don't tell its names either. */
export function withoutSuggestions(formatError: FormatError): FormatError {
  return (formatted, error) => {
    const shown = formatError(formatted, error);
    // Bounded: what a client sends is quoted in messages.
    const message = shown.message.replaceAll(/ Did you mean (?:[^"?]|"\w*"){0,500}\?/g, '');
    return { ...shown, message };
  };
}
