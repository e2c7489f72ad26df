import {
  type DefinitionNode,
  type DocumentNode,
  executeSync,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type VariableNode,
  visit,
} from 'graphql';
import { responseNameOf } from './documents.ts';

type Introspect = (variables: Record<string, unknown>) => unknown;

/** Executes an operation's `__schema` and `__type` against the schema; throws their errors. */
export class Introspection {
  readonly #schema: GraphQLSchema;
  readonly #fragments: readonly DefinitionNode[];
  readonly #operation: OperationDefinitionNode;
  readonly #fields = new Map<FieldNode, Introspect>();

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
    this.#operation = operation;
  }

  execute(field: FieldNode, variables: Record<string, unknown>): unknown {
    const cached = this.#fields.get(field);
    if (cached) return cached(variables);
    const introspect = this.#prepare(field);
    this.#fields.set(field, introspect);
    return introspect(variables);
  }

  #prepare(field: FieldNode): Introspect {
    const variables = this.#variablesIn(field);
    const document = this.#document(field, variables);
    const introspect: Introspect = (variableValues) => {
      const { data, errors } = executeSync({ schema: this.#schema, document, variableValues });
      if (errors?.[0]) throw errors[0];
      return data?.[responseNameOf(field)];
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
    return { kind: Kind.DOCUMENT, definitions: [query, ...this.#fragments] };
  }

  /** Those of the field; with a fragment in it also those of all fragments. */
  #variablesIn(field: FieldNode): Set<string> {
    const names = new Set<string>();
    let hasFragments = false;
    const Variable = ({ name }: VariableNode): void => {
      names.add(name.value);
    };
    const FragmentSpread = (): void => {
      hasFragments = true;
    };
    visit(field, { Variable, FragmentSpread });
    if (hasFragments) for (const fragment of this.#fragments) visit(fragment, { Variable });
    return names;
  }
}
