import type { z } from 'zod';

/**
 * A use case cannot process an event yet, because another event or service must come first. The event
 * is retried, and the attempt does not count as a failure.
 */
export class RetryLater extends Error {}

/**
 * An event that this version of the code does not know: its type, its schema version, or a value in
 * it. A newer version may.
 */
export class NotUnderstood extends Error {}

/**
 * `transient`: a failure of the infrastructure, or a RetryLater. `not-understood`: redelivered until a
 * newer version of the code runs. `poisoned`: everything else; only that counts towards parking.
 */
export type FailureKind = 'transient' | 'not-understood' | 'poisoned';

/** The kind of failure of an error, by its own fields and those of its causes. Never throws. */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof NotUnderstood) return 'not-understood';
  for (const cause of listCauses(error)) {
    if (cause instanceof RetryLater || isTransient(cause)) return 'transient';
  }
  return 'poisoned';
}

/** The fields in which the drivers, Prisma, Node and undici describe an error. */
interface Fields {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  originalCode?: unknown;
  errno?: unknown;
  state?: unknown;
  sqlState?: unknown;
  kind?: unknown;
  statusCode?: unknown;
  extendedCode?: unknown;
  cause?: unknown;
  errors?: unknown;
  meta?: { driverAdapterError?: unknown };
  extensions?: { code?: unknown };
}

/** The error and its causes, each once; Prisma keeps its driver's error in `meta`. */
export function listCauses(error: unknown): Fields[] {
  const found = new Set<Fields>();
  const waiting = [error];
  while (waiting.length > 0 && found.size < 20) {
    const each = waiting.shift();
    if (typeof each !== 'object' || each === null || found.has(each)) continue;
    const fields = each as Fields;
    found.add(fields);
    waiting.push(fields.cause, fields.meta?.driverAdapterError);
    if (Array.isArray(fields.errors)) waiting.push(...fields.errors);
  }
  return [...found];
}

// Connection, rollback (deadlock, serialization), resources, operator intervention (also statement
// timeouts), system error; lock timeout, read-only server, idle transaction ended by its timeout.
const TRANSIENT_SQLSTATE = /^(?:(?:08|40|53|57|58)[0-9A-Z]{3}|55P03|25006|25P03)$/;

/** Of MariaDB and MySQL, and above 45000 of the MariaDB connector. */
const TRANSIENT_MYSQL = new Set([
  1020, 1021, 1040, 1053, 1114, 1158, 1159, 1160, 1161, 1203, 1205, 1206, 1213, 1226, 1290, 1317,
  1836, 1927, 1969, 2002, 2003, 2006, 2013, 3024, 3572, 4031, 45001, 45004, 45009, 45012, 45013,
  45019, 45026, 45027, 45028, 45035, 45037, 45039, 45042, 45061,
]);

/** Primary result codes: busy, locked, out of memory, read-only, I/O error, full, cannot open. */
const TRANSIENT_SQLITE = new Set([5, 6, 7, 8, 10, 13, 14]);
const TRANSIENT_SQLITE_NAME = /^SQLITE_(?:BUSY|LOCKED|NOMEM|READONLY|IOERR|FULL|CANTOPEN)/;

const TRANSIENT_CODES = new Set([
  // Prisma: unreachable, timed out, closed; no connection, transaction or lock available.
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'],
  // Node's sockets and look-ups.
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EMFILE', 'ENFILE', 'ENOSPC'],
  // undici, and a circuit breaker that is open.
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'UND_ERR_ABORTED', 'EOPENBREAKER'],
  // GraphQL's extensions.code of another context.
  ...['SERVICE_UNAVAILABLE', 'REQUEST_TIMEOUT'],
]);

/** Errors that Prisma's driver adapters map to a kind. */
const TRANSIENT_KINDS = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
  'TransactionWriteConflict',
]);

/** Errors of pg's pool and client and of the file postgres.ts, which carry no code. */
const TRANSIENT_MESSAGE =
  /^(?:timeout expired|timeout exceeded when trying to connect|Connection terminated|Query read timeout|PostgreSQL was silent for|Cannot use a pool after calling end|Client has encountered a connection error|Client was closed and is not queryable)/;

const TRANSIENT_STATUS = new Set([429, 502, 503, 504]);

function isTransient(fields: Fields): boolean {
  const codes = [fields.code, fields.originalCode, fields.state, fields.sqlState].map(String);
  if (codes.some((code) => TRANSIENT_SQLSTATE.test(code) || TRANSIENT_CODES.has(code))) return true;
  if (codes.some((code) => TRANSIENT_SQLITE_NAME.test(code))) return true;
  if (TRANSIENT_CODES.has(String(fields.extensions?.code))) return true;
  if (TRANSIENT_KINDS.has(String(fields.kind))) return true;
  if (fields.kind === 'sqlite') return TRANSIENT_SQLITE.has(Number(fields.extendedCode) & 0xff);
  if (fields.kind === 'mysql') return TRANSIENT_MYSQL.has(Number(fields.code));
  if (fields.sqlState !== undefined && TRANSIENT_MYSQL.has(Number(fields.errno))) return true;
  if (TRANSIENT_STATUS.has(Number(fields.statusCode))) return true;
  return fields.name === 'TimeoutError' || TRANSIENT_MESSAGE.test(String(fields.message));
}

/**
 * Does a payload violate its contract only by values that the contract does not list? A newer release
 * may know them. A missing field or another type is wrong in every version.
 */
export function hasOnlyUnknownValues(error: z.ZodError, payload: unknown): boolean {
  return error.issues.every(
    ({ code, path }) => code === 'invalid_value' && typeof valueAt(payload, path) === 'string',
  );
}

function valueAt(payload: unknown, path: readonly PropertyKey[]): unknown {
  let value = payload;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}

/** The issues of a payload that violates its contract, without the values. */
export function toIssueText(error: z.ZodError): string {
  const shown = error.issues.slice(0, 5);
  return shown.map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`).join('; ');
}
