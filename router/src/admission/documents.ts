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
import { type CostOf, costCompiler } from './cost.ts';
import type { CostRules } from './cost-rules.ts';
import { holdToLimits, type Measures, type OperationLimits } from './limits.ts';
import { RequestErrors, refusal, withCode } from './refusals.ts';
import { unconditionalSubscriptionRule } from './subscription-rule.ts';
import { requireTextIn } from './text-rule.ts';

/** A document that is valid and within the limits; all who send the same text share one. */
export interface ExaminedDocument {
  text: string;
  document: DocumentNode;
  operations: ReadonlyMap<OperationDefinitionNode, ExaminedOperation>;
}

export interface ExaminedOperation extends Measures {
  costOf: CostOf;
}

export interface Documents {
  /** Parses and checks a text, once; throws {@link RequestErrors}. */
  examine(text: string): ExaminedDocument;
  /** The document whose text has this SHA-256 hash, if it is remembered. */
  byHash(sha256: string): ExaminedDocument | undefined;
}

const DOCUMENT_CACHE_SIZE = 1_000;
/** By estimate: a token with its node, its place and its part of the text takes some 300 bytes. */
const DOCUMENT_CACHE_BYTES = 64 * 1_024 * 1_024;
const TOKEN_BYTES = 300;

/**
 * Examines documents by one schema. Where `introspection` is off, errors don't tell of the schema either:
 * they suggest no names.
 */
export function documentExaminer(deps: {
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
    const document = parsed(text, limits.tokens);
    const measured = holdToLimits(document, limits);
    requireTextIn(document);
    // First, and alone: on what it forbids, the library's rule of single root fields throws.
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
        { ...measures, costOf: compile(document, operation) },
      ]),
    );
    return { text, document, operations };
  }

  return {
    examine(text) {
      const known = documents.get(text);
      if (known) return known.examined;
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
 * What was examined is neither parsed nor validated again by Apollo Server, which asks for it by its
 * hash, or by the name that `textOf` knows.
 */
export function documentStore(
  { byHash, examine }: Documents,
  textOf: (name: string) => string | undefined,
): DocumentStore {
  return {
    async get(key) {
      const name = key.slice(key.indexOf(':') + 1);
      const text = textOf(name);
      return (text === undefined ? byHash(name) : examine(text))?.document;
    },
    set: async () => {},
    delete: async () => false,
  };
}

function parsed(text: string, maxTokens: number): DocumentNode {
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
