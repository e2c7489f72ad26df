import type { FieldSelection } from '@apollo/federation-internals';
import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  visit,
} from 'graphql';

type Introspect = (variables: Record<string, unknown>) => unknown;

/** Executes an operation's `__schema` and `__type` against the schema; throws their errors. */
export class Introspection {
  readonly #schema: GraphQLSchema;
  readonly #operation: OperationDefinitionNode;
  readonly #fields = new Map<FieldSelection, Introspect>();

  constructor(schema: GraphQLSchema, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#operation = operation;
  }

  execute(field: FieldSelection, variables: Record<string, unknown>): unknown {
    const cached = this.#fields.get(field);
    if (cached) return cached(variables);
    const introspect = this.#prepare(field);
    this.#fields.set(field, introspect);
    return introspect(variables);
  }

  #prepare(field: FieldSelection): Introspect {
    const node = field.expandFragments().toSelectionNode() as FieldNode;
    const variables = variablesIn(node);
    const document = this.#document(node, variables);
    const introspect: Introspect = (variableValues) => {
      const { data, errors } = executeSync({ schema: this.#schema, document, variableValues });
      if (errors?.[0]) throw errors[0];
      return data?.[node.alias?.value ?? node.name.value];
    };
    if (variables.size > 0) return introspect;
    // Without variables the result never changes.
    let result: unknown;
    return () => {
      result ??= introspect({});
      return result;
    };
  }

  #document(node: FieldNode, variables: ReadonlySet<string>): DocumentNode {
    const query: OperationDefinitionNode = {
      kind: Kind.OPERATION_DEFINITION,
      operation: OperationTypeNode.QUERY,
      variableDefinitions: this.#operation.variableDefinitions?.filter(({ variable }) =>
        variables.has(variable.name.value),
      ),
      selectionSet: { kind: Kind.SELECTION_SET, selections: [node] },
    };
    return { kind: Kind.DOCUMENT, definitions: [query] };
  }
}

function variablesIn(node: FieldNode): Set<string> {
  const names = new Set<string>();
  visit(node, { Variable: ({ name }) => void names.add(name.value) });
  return names;
}
