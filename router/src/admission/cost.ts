import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import {
  argumentReader,
  argumentsCost,
  type CostEstimate,
  DEFAULT_LIST_SIZE,
  listSizeEstimate,
  type ReadArgument,
  unlessSkipped,
} from './cost-arguments.ts';
import type { CostRules } from './cost-rules.ts';

/** Added to the cost of each mutation. */
const MUTATION_COST = 10;

/** Lists whose size is an argument of the field that contains them. */
interface ParentSizes {
  fields: readonly string[];
  size: CostEstimate;
}

/**
 * Compiles operations of valid documents into estimates of their cost: an upper bound of the objects in the
 * response, by the IBM GraphQL Cost Directives specification
 * (https://ibm.github.io/graphql-specs/cost-spec.html) as Apollo's demand control applies it. Objects cost
 * 1, scalars 0, a mutation 10 more; `@cost` overrides that; lists multiply; selections add up, also those
 * of types that exclude each other.
 */
export function costCompiler(schema: GraphQLSchema, rules: CostRules) {
  return (document: DocumentNode, operation: OperationDefinitionNode): CostEstimate => {
    const base = operation.operation === OperationTypeNode.MUTATION ? MUTATION_COST : 0;
    const root = schema.getRootType(operation.operation) ?? undefined;
    const compilation = new OperationCost(schema, rules, document, operation);
    const selected = compilation.forSelections(operation.selectionSet, root, null);
    return (variables) => base + selected(variables);
  };
}

class OperationCost {
  readonly #schema: GraphQLSchema;
  readonly #rules: CostRules;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #readArgument: ReadArgument;

  constructor(
    schema: GraphQLSchema,
    rules: CostRules,
    document: DocumentNode,
    operation: OperationDefinitionNode,
  ) {
    this.#schema = schema;
    this.#rules = rules;
    this.#readArgument = argumentReader(operation);
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
    }
  }

  forSelections(
    { selections }: SelectionSetNode,
    type: GraphQLNamedType | undefined,
    parentSizes: ParentSizes | null,
  ): CostEstimate {
    const parts = selections.map((each) =>
      unlessSkipped(each, this.#forSelection(each, type, parentSizes), this.#readArgument),
    );
    return (variables) => parts.reduce((sum, part) => sum + part(variables), 0);
  }

  #forSelection(
    selection: SelectionNode,
    type: GraphQLNamedType | undefined,
    parentSizes: ParentSizes | null,
  ): CostEstimate {
    if (selection.kind === Kind.FIELD) return this.#forField(selection, type, parentSizes);
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? this.#fragments.get(selection.name.value)
        : selection;
    if (!fragment) return FREE;
    const condition = fragment.typeCondition?.name.value;
    const inner = condition === undefined ? type : this.#schema.getType(condition);
    return this.forSelections(fragment.selectionSet, inner, parentSizes);
  }

  #forField(
    node: FieldNode,
    parent: GraphQLNamedType | undefined,
    parentSizes: ParentSizes | null,
  ): CostEstimate {
    const name = node.name.value;
    // Introspection reaches no subgraph, and validation limits its depth.
    if (name.startsWith('__')) return FREE;
    if (!isObjectType(parent) && !isInterfaceType(parent)) return FREE;
    const field = parent.getFields()[name];
    if (!field) return FREE;
    const rule = this.#rules.fields.get(`${parent.name}.${name}`);
    const type = getNamedType(field.type);
    const listSize = rule?.listSize;
    const size = listSize && listSizeEstimate(listSize, field, node, this.#readArgument);
    const sizedFields = listSize?.sizedFields ?? [];
    const inherited = parentSizes?.fields.includes(name) ? parentSizes.size : undefined;
    const count = isListType(getNullableType(field.type))
      ? (inherited ?? (sizedFields.length === 0 ? size : undefined) ?? DEFAULT_SIZE)
      : ONE;
    const weight =
      rule?.weight ?? this.#rules.typeWeights.get(type.name) ?? (isCompositeType(type) ? 1 : 0);
    const argumentCost = argumentsCost(node, rule);
    const childSizes = size && sizedFields.length > 0 ? { fields: sizedFields, size } : null;
    const inner = node.selectionSet
      ? this.forSelections(node.selectionSet, type, childSizes)
      : FREE;
    return (variables) => {
      const each = weight + inner(variables);
      return argumentCost + (each === 0 ? 0 : count(variables) * each);
    };
  }
}

const FREE: CostEstimate = () => 0;
const ONE: CostEstimate = () => 1;
const DEFAULT_SIZE: CostEstimate = () => DEFAULT_LIST_SIZE;
