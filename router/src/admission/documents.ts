import { createHash } from 'node:crypto';
import type { ApolloServerOptions, BaseContext } from '@apollo/server';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { costCompiler } from './cost.ts';
import type { CostEstimate } from './cost-arguments.ts';
import type { CostRules } from './cost-rules.ts';
import { checkLimits, type Measures, type OperationLimits } from './limits.ts';
import { RequestErrors, refusal, withCode } from './refusals.ts';
import { unconditionalSubscriptionRule } from './subscription-rule.ts';
import { requireTextIn } from './text-rule.ts';

/** A document that is valid and within the limits; requests with the same text share one. */
export interface ExaminedDocument {
  text: string;
  document: DocumentNode;
  operations: ReadonlyMap<OperationDefinitionNode, ExaminedOperation>;
}

export interface ExaminedOperation extends Measures {
  estimateCost: CostEstimate;
}

export interface Documents {
  /** Parses and checks a text, or reads it from the cache; throws {@link RequestErrors}. */
  examine(text: string): ExaminedDocument;
  /** The cached document whose text has this SHA-256 hash. */
  byHash(sha256: string): ExaminedDocument | undefined;
}

const DOCUMENT_CACHE_SIZE = 1_000;
/** Estimated: a token with its node, location and part of the text takes about 300 bytes. */
const DOCUMENT_CACHE_BYTES = 64 * 1_024 * 1_024;
const TOKEN_BYTES = 300;

/**
 * Examines documents by one schema. Where `introspection` is off, errors do not disclose the schema
 * either: they suggest no names.
 */
export function createDocuments(deps: {
  schema: GraphQLSchema;
  limits: OperationLimits;
  rules: CostRules;
  introspection: boolean;
}): Documents {
  const { schema, limits, introspection } = deps;
  const compile = costCompiler(schema, deps.rules);
  const hashes = new Map<string, ExaminedDocument>();
  const documents = new LRUCache<string, { examined: ExaminedDocument; sha256: string }>({
    max: DOCUMENT_CACHE_SIZE,
    maxSize: DOCUMENT_CACHE_BYTES,
    sizeCalculation: ({ examined: { text, document } }) =>
      1 + text.length + (document.tokenCount ?? text.length) * TOKEN_BYTES,
    dispose: ({ sha256 }) => void hashes.delete(sha256),
  });
  const rules = introspection
    ? specifiedRules
    : [...specifiedRules, NoSchemaIntrospectionCustomRule];

  function examine(text: string): ExaminedDocument {
    const document = parseDocument(text, limits.tokens);
    const measured = checkLimits(document, limits);
    requireTextIn(document);
    // Separately, and first: the library's rule of single root fields throws on what this one forbids.
    const conditional = validate(schema, document, [unconditionalSubscriptionRule]);
    const errors =
      conditional.length > 0
        ? conditional
        : validate(schema, document, rules, { hideSuggestions: !introspection });
    if (errors.length > 0) {
      throw new RequestErrors(errors.map((each) => withCode(each, 'GRAPHQL_VALIDATION_FAILED')));
    }
    const operations = new Map(
      [...measured].map(([operation, measures]) => [
        operation,
        { ...measures, estimateCost: compile(document, operation) },
      ]),
    );
    return { text, document, operations };
  }

  return {
    examine(text) {
      const cached = documents.get(text);
      if (cached) return cached.examined;
      const examined = examine(text);
      const sha256 = createHash('sha256').update(text).digest('hex');
      documents.set(text, { examined, sha256 });
      if (documents.has(text)) hashes.set(sha256, examined);
      return examined;
    },
    byHash: (sha256) => hashes.get(sha256),
  };
}

type DocumentStore = NonNullable<ApolloServerOptions<BaseContext>['documentStore']>;

/**
 * Gives Apollo Server the examined documents, so that it neither parses nor validates them again. Its keys
 * end in the text's hash, or in a persisted id that `findText` resolves.
 */
export function documentStore(
  { byHash, examine }: Documents,
  findText: (id: string) => string | undefined,
): DocumentStore {
  return {
    async get(key) {
      const id = key.slice(key.indexOf(':') + 1);
      const text = findText(id);
      return (text === undefined ? byHash(id) : examine(text))?.document;
    },
    set: async () => {},
    delete: async () => false,
  };
}

function parseDocument(text: string, maxTokens: number): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (/^Syntax Error: Document contains more tha[nt] \d+ tokens/.test(error.message)) {
      throw refusal(
        'TOO_MANY_TOKENS',
        `The document has more than ${maxTokens} tokens; ${maxTokens} are allowed.`,
      );
    }
    throw new RequestErrors([withCode(error, 'GRAPHQL_PARSE_FAILED')]);
  }
}
