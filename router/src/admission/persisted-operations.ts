import { createHash } from 'node:crypto';
import type { ApolloServerOptions, BaseContext } from '@apollo/server';
import { LRUCache } from 'lru-cache';
import type { Manifest } from './manifest.ts';
import { refusal } from './refusals.ts';
import type { AskedOperation } from './request.ts';

/** Operations that clients may ask for by name instead of text. */
export interface PersistedOperations {
  /** The text of what is asked for; throws when there is none, or it may not be asked for. */
  textOf(asked: Pick<AskedOperation, 'query' | 'persistedId'>): string;
  /** What was asked for is valid: from now on its name is enough. */
  register(asked: Pick<AskedOperation, 'query' | 'persistedId'>): void;
  find(id: string): string | undefined;
}

const TEXT_CACHE_SIZE = 1_000;
const TEXT_CACHE_CHARACTERS = 4_000_000;

/**
 * Automatic persisted queries: a client sends the SHA-256 hash alone, is told when it is not known, and
 * sends it again with the text (https://www.apollographql.com/docs/apollo-server/performance/apq).
 */
export function automaticOperations(): PersistedOperations {
  const texts = new LRUCache<string, string>({
    max: TEXT_CACHE_SIZE,
    maxSize: TEXT_CACHE_CHARACTERS,
    sizeCalculation: (text) => text.length + 1,
  });
  return {
    textOf({ query, persistedId }) {
      if (query === null) {
        const known = persistedId === null ? undefined : texts.get(persistedId);
        if (known !== undefined) return known;
        // Clients know it by this very message. Not a failure: they ask again, with the text.
        throw refusal('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', {
          http: { status: 200 },
        });
      }
      holdToHash(query, persistedId);
      return query;
    },
    register({ query, persistedId }) {
      if (query !== null && persistedId !== null) texts.set(persistedId, query);
    },
    find: (id) => texts.get(id),
  };
}

/** No other operations than those of the manifest: by their ids, or by their very texts. */
export function registeredOperations({ operations }: Manifest): PersistedOperations {
  const texts = new Map(operations.map(({ id, body }) => [id, body]));
  const bodies = new Set(texts.values());
  return {
    textOf({ query, persistedId }) {
      if (query === null) {
        const known = persistedId === null ? undefined : texts.get(persistedId);
        if (known !== undefined) return known;
        throw notRegistered('There is no operation with this id among those');
      }
      holdToHash(query, persistedId);
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

/** The same operations for Apollo Server, which resolves names once more. */
export function persistedQueryCache({ find }: PersistedOperations): PersistedQueryCache {
  return {
    get: async (key) => find(key.replace(/^apq:/, '')),
    // What passed the gate is registered already.
    set: async () => {},
    delete: async () => false,
  };
}

function holdToHash(query: string, persistedId: string | null): void {
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
