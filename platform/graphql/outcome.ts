import { CLIENT_CODES } from './errors.ts';

/** The outcome of an operation. */
export type Outcome = 'ok' | 'error' | 'refused' | 'limited' | 'unauthenticated';

/** Codes in responses that mean a failure of the system, and not a refusal. */
const FAILED = new Set(['SERVICE_UNAVAILABLE', 'REQUEST_TIMEOUT']);
const LIMITED = new Set(['RATE_LIMITED', 'TOO_MANY_SUBSCRIPTIONS']);

/** The outcome by the codes of the errors; an error without a code is a failure. */
export function toOutcome(
  errors: readonly { readonly extensions?: { readonly code?: unknown } | undefined }[] = [],
): Outcome {
  if (errors.length === 0) return 'ok';
  const codes = errors.map(({ extensions }) => String(extensions?.code ?? 'INTERNAL_SERVER_ERROR'));
  if (codes.some((code) => FAILED.has(code) || !CLIENT_CODES.has(code))) return 'error';
  if (codes.some((code) => LIMITED.has(code))) return 'limited';
  return codes.includes('UNAUTHENTICATED') ? 'unauthenticated' : 'refused';
}
