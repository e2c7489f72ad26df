import type { SqlDriverAdapterFactory, SqlQuery, SqlQueryable } from '@prisma/driver-adapter-utils';
import { activeSpan, inChildSpan, type SpanOptions } from '../tracing/tracing.ts';

/** Another writer was faster, which the database decides: the work is retried. */
const CONFLICTS = ['UniqueConstraintViolation', 'TransactionWriteConflict'];
/** The same, as PostgreSQL's SQLSTATE, for which Prisma has no kind. */
const EXCLUSION_VIOLATION = '23P01';

/**
 * Adds spans to an adapter of Prisma: each statement within a trace has one, and so has each commit. Their times contain
 * the wait for the connection.
 */
export function withStatementSpans<Factory extends SqlDriverAdapterFactory>(
  factory: Factory,
  system: 'postgresql' | 'sqlite' | 'mariadb',
): Factory {
  const options: SpanOptions = { kind: 'client', attributes: { 'db.system.name': system } };
  const inSpan = <T>(name: string, work: () => Promise<T>) =>
    inChildSpan(name, options, work, isFailure);

  const traced =
    <T>(execute: (query: SqlQuery) => Promise<T>) =>
    (query: SqlQuery) =>
      activeSpan() ? inSpan(nameOf(query), () => execute(query)) : execute(query);

  function addSpans<Queries extends SqlQueryable>(queries: Queries): Queries {
    queries.queryRaw = traced(queries.queryRaw.bind(queries));
    queries.executeRaw = traced(queries.executeRaw.bind(queries));
    return queries;
  }

  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = addSpans(await connect());
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolation) => {
      const transaction = addSpans(await startTransaction(isolation));
      // Elsewhere Prisma executes COMMIT as a statement.
      if (!transaction.options.usePhantomQuery) return transaction;
      const commit = transaction.commit.bind(transaction);
      transaction.commit = () => inSpan('COMMIT', commit);
      return transaction;
    };
    return adapter;
  };
  return factory;
}

const FIRST_TABLE =
  /^\s*(?=(\w+))(?:.*?\b(?:FROM|INTO|UPDATE)\s+(?:[`"]?\w+[`"]?\.)?[`"]?(\w+))?/is;

/** What a statement does with which table first. */
function nameOf({ sql }: SqlQuery): string {
  const [, verb = 'statement', table = ''] = FIRST_TABLE.exec(sql) ?? [];
  return `${verb.toUpperCase()} ${table}`.trim();
}

function isFailure(error: unknown): boolean {
  const { kind, code } = ((error as { cause?: unknown }).cause ?? {}) as Record<string, unknown>;
  return !CONFLICTS.includes(String(kind)) && code !== EXCLUSION_VIOLATION;
}
