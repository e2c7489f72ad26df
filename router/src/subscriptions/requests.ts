import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { badInput } from '#platform/errors.ts';

/** What clients send in every protocol: the GraphQL-over-HTTP draft, section "Request Parameters". */
const requestShape = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

/** An operation that is valid by the schema. */
export interface ReadRequest {
  kind: 'query' | 'mutation' | 'subscription';
  document: DocumentNode;
  text: string;
  operationName: string | null;
  variables: Record<string, unknown>;
}

/** A document and its text, of which thousands of subscriptions share one copy. */
type Read = Pick<ReadRequest, 'document' | 'text'>;

const DOCUMENTS_REMEMBERED = 1_000;

/** Reads requests; each document is parsed and checked once. Throws what is wrong, as GraphQLErrors. */
export function requestReader(schema: GraphQLSchema) {
  const documents = new LRUCache<string, Read>({ max: DOCUMENTS_REMEMBERED });

  function documentOf(text: string): Read {
    const known = documents.get(text);
    if (known) return known;
    const document = parsed(text);
    // First, and alone: on what it forbids, the library's rule of single root fields throws.
    const conditional = validate(schema, document, [unconditionalSubscriptionRule]);
    const errors = conditional.length > 0 ? conditional : validate(schema, document);
    if (errors.length > 0) {
      throw new RequestErrors(errors.map((each) => withCode(each, 'GRAPHQL_VALIDATION_FAILED')));
    }
    const read = { document, text };
    documents.set(text, read);
    return read;
  }

  return (request: unknown): ReadRequest => {
    const read = requestShape.safeParse(request);
    if (!read.success) {
      throw new RequestErrors([
        badInput('query', 'Send {"query": "…", "operationName": "…", "variables": {…}}.'),
      ]);
    }
    const { query, operationName, variables } = read.data;
    const { document, text } = documentOf(query);
    const operation = getOperationAST(document, operationName);
    if (!operation) {
      const message = operationName
        ? `The document has no operation "${operationName}".`
        : 'The document has several operations: name one of them.';
      throw new RequestErrors([
        withCode(new GraphQLError(message), 'OPERATION_RESOLUTION_FAILURE'),
      ]);
    }
    return {
      kind: operation.operation,
      document,
      text,
      operationName: operationName ?? null,
      variables: variables ?? {},
    };
  };
}

/**
 * What a subscription subscribes to must not hang on a variable: GraphQL's draft, section 5.2.4.1,
 * "Single Root Field". The library's own rule does not know it yet.
 */
function unconditionalSubscriptionRule(context: ValidationContext): ASTVisitor {
  const isConditional = (node: SelectionNode) =>
    node.directives?.find(({ name: { value } }) => value === 'skip' || value === 'include');

  function check({ selections }: SelectionSetNode, seen: ReadonlySet<SelectionSetNode>): void {
    for (const selection of selections) {
      const directive = isConditional(selection);
      if (directive) {
        const message = `A subscription's root field cannot have @${directive.name.value}.`;
        context.reportError(new GraphQLError(message, { nodes: directive }));
      }
      const inner =
        selection.kind === 'FragmentSpread'
          ? context.getFragment(selection.name.value)?.selectionSet
          : selection.kind === 'InlineFragment' && selection.selectionSet;
      if (inner && !seen.has(inner)) check(inner, new Set([...seen, inner]));
    }
  }

  return {
    OperationDefinition({ operation, selectionSet }) {
      if (operation === OperationTypeNode.SUBSCRIPTION)
        check(selectionSet, new Set([selectionSet]));
    },
  };
}

/** Why a request is not executed. */
export class RequestErrors extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super(errors.map(({ message }) => message).join(' '));
    this.errors = errors;
  }
}

function parsed(text: string): DocumentNode {
  try {
    return parse(text);
  } catch (error) {
    throw new RequestErrors([withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')]);
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  error.extensions.code = code;
  return error;
}
