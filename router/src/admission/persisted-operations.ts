import { createHash } from 'node:crypto';
import type { ApolloServerOptions, BaseContext } from '@apollo/server';
import { LRUCache } from 'lru-cache';
import type { Manifest } from './manifest.ts';
import { refusal } from './refusals.ts';
import type { OperationRequest } from './request.ts';

/** Operations that clients may request by id instead of text. */
export interface PersistedOperations {
  /** The text of the requested operation; throws when the id is unknown, or the text is not allowed. */
  resolveText(request: Pick<OperationRequest, 'query' | 'persistedId'>): string;
  /** Stores the text of a valid operation, so that its id is enough from now on. */
  register(request: Pick<OperationRequest, 'query' | 'persistedId'>): void;
  find(id: string): string | undefined;
}

const TEXT_CACHE_SIZE = 1_000;
const TEXT_CACHE_CHARACTERS = 4_000_000;

/**
 * Automatic persisted queries: a client sends the SHA-256 hash only and, when the response says that it is
 * unknown, sends it again with the text (https://www.apollographql.com/docs/apollo-server/performance/apq).
 */
export function automaticOperations(): PersistedOperations {
  const texts = new LRUCache<string, string>({
    max: TEXT_CACHE_SIZE,
    maxSize: TEXT_CACHE_CHARACTERS,
    sizeCalculation: (text) => text.length + 1,
  });
  return {
    resolveText({ query, persistedId }) {
      if (query === null) {
        const text = persistedId === null ? undefined : texts.get(persistedId);
        if (text !== undefined) return text;
        // Clients recognise this exact message, and 200, and send the text.
        throw refusal('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', {
          http: { status: 200 },
        });
      }
      checkHash(query, persistedId);
      return query;
    },
    register({ query, persistedId }) {
      if (query !== null && persistedId !== null) texts.set(persistedId, query);
    },
    find: (id) => texts.get(id),
  };
}

/** The manifest's operations only, requested by id or by the exact text. */
export function registeredOperations({ operations }: Manifest): PersistedOperations {
  const texts = new Map(operations.map(({ id, body }) => [id, body]));
  const bodies = new Set(texts.values());
  return {
    resolveText({ query, persistedId }) {
      if (query === null) {
        const text = persistedId === null ? undefined : texts.get(persistedId);
        if (text !== undefined) return text;
        throw notRegistered('There is no operation with this id among those');
      }
      checkHash(query, persistedId);
      if (!bodies.has(query)) throw notRegistered('This operation is none of those');
      return query;
    },
    register() {},
    find: (id) => texts.get(id),
  };
}

type PersistedQueryCache = NonNullable<
  Exclude<ApolloServerOptions<BaseContext>['persistedQueries'], false | undefined>['cache']
>;

/** The same operations for Apollo Server, which resolves ids itself. */
export function persistedQueryCache({ find }: PersistedOperations): PersistedQueryCache {
  return {
    get: async (key) => find(key.replace(/^apq:/, '')),
    // Admission has registered the operation already.
    set: async () => {},
    delete: async () => false,
  };
}

function checkHash(query: string, persistedId: string | null): void {
  if (persistedId === null) return;
  if (createHash('sha256').update(query).digest('hex') === persistedId) return;
  throw refusal('BAD_REQUEST', 'The sha256Hash is not the SHA-256 hash of the query.');
}

function notRegistered(what: string) {
  return refusal(
    'OPERATION_NOT_REGISTERED',
    `${what} that are registered here: only those are executed.`,
  );
}
