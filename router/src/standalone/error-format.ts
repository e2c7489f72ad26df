import { GraphQLError } from 'graphql';
import type { FormatError } from '../admission/refusals.ts';

/**
 * Shows errors of subgraphs as they are: what they mean to clients, only their authors know. Faults of the
 * router itself go to `format`.
 */
export function withSubgraphErrors(format: FormatError): FormatError {
  return (formatted, error) => (isFault(error) ? format(formatted, error) : formatted);
}

/** Whether the error was thrown by code; the original of a subgraph's error is JSON. */
function isFault(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return true;
  const { originalError } = error;
  return originalError instanceof Error && isFault(originalError);
}
