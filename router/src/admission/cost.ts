import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
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
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import type { CostRules, FieldRule, ListSize } from './cost-rules.ts';

/** What an operation costs with these variables, before it is executed. */
export type CostOf = (variables: Readonly<Record<string, unknown>>) => number;

/** A mutation costs this much more than a query. */
const MUTATION = 10;
/** A list of which nothing is said. */
const USUAL_LIST = 10;

/** The fields whose lists are as long as an argument of the field around them says. */
interface SizedAbove {
  fields: readonly string[];
  size: CostOf;
}

/**
 * Makes what compiles operations of valid documents into their costs: an upper bound of the objects that
 * they may answer, by the IBM GraphQL Cost Directives specification
 * (https://ibm.github.io/graphql-specs/cost-spec.html) as Apollo's demand control applies it. Objects cost
 * 1, scalars 0, a mutation 10 more; `@cost` says otherwise; lists multiply; selections add up, also those
 * of types that exclude each other.
 */
export function costCompiler(schema: GraphQLSchema, rules: CostRules) {
  return (document: DocumentNode, operation: OperationDefinitionNode): CostOf => {
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        fragments.set(definition.name.value, definition);
    }
    const valueIn = argumentReader(operation);
    const base = operation.operation === OperationTypeNode.MUTATION ? MUTATION : 0;
    const root = schema.getRootType(operation.operation) ?? undefined;
    const selected = ofSelections(operation.selectionSet, root, null);
    return (variables) => base + selected(variables);

    function ofSelections(
      { selections }: SelectionSetNode,
      type: GraphQLNamedType | undefined,
      above: SizedAbove | null,
    ): CostOf {
      const parts = selections.map((each) => unlessSkipped(each, ofSelection(each, type, above)));
      return (variables) => parts.reduce((sum, part) => sum + part(variables), 0);
    }

    function ofSelection(
      selection: SelectionNode,
      type: GraphQLNamedType | undefined,
      above: SizedAbove | null,
    ): CostOf {
      if (selection.kind === Kind.FIELD) return ofField(selection, type, above);
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (!fragment) return FREE;
      const condition = fragment.typeCondition?.name.value;
      const inner = condition === undefined ? type : schema.getType(condition);
      return ofSelections(fragment.selectionSet, inner, above);
    }

    function ofField(
      node: FieldNode,
      parent: GraphQLNamedType | undefined,
      above: SizedAbove | null,
    ): CostOf {
      const name = node.name.value;
      // The schema answers them, and not a subgraph; validation bounds how deep they may ask.
      if (name.startsWith('__')) return FREE;
      if (!isObjectType(parent) && !isInterfaceType(parent)) return FREE;
      const field = parent.getFields()[name];
      if (!field) return FREE;
      const rule = rules.fields.get(`${parent.name}.${name}`);
      const type = getNamedType(field.type);
      const size = rule?.listSize && sizeOf(rule.listSize, field, node);
      const sizedFields = rule?.listSize?.sizedFields ?? [];
      const inherited = above?.fields.includes(name) ? above.size : undefined;
      const count = isListType(getNullableType(field.type))
        ? (inherited ?? (sizedFields.length === 0 ? size : undefined) ?? USUAL)
        : ONE;
      const weight =
        rule?.weight ?? rules.typeWeights.get(type.name) ?? (isCompositeType(type) ? 1 : 0);
      const ofArguments = argumentsCost(node, rule);
      const below = size && sizedFields.length > 0 ? { fields: sizedFields, size } : null;
      const inner = node.selectionSet ? ofSelections(node.selectionSet, type, below) : FREE;
      return (variables) => {
        const each = weight + inner(variables);
        return ofArguments + (each === 0 ? 0 : count(variables) * each);
      };
    }

    /** The largest of the slicing arguments; without any, the default of one, or the assumed size. */
    function sizeOf(
      { slicingArguments, assumedSize }: ListSize,
      field: GraphQLField<unknown, unknown>,
      node: FieldNode,
    ): CostOf {
      const readers = slicingArguments.map((name) => {
        const given = node.arguments?.find((each) => each.name.value === name)?.value;
        const usual = field.args.find((each) => each.name === name)?.defaultValue;
        return (variables: Readonly<Record<string, unknown>>) =>
          numberOf(given && valueIn(given, variables)) ?? numberOf(usual);
      });
      return (variables) => {
        const sizes = readers.map((read) => read(variables)).filter((size) => size !== undefined);
        return sizes.length > 0 ? Math.max(...sizes) : (assumedSize ?? USUAL_LIST);
      };
    }

    /** `@skip` and `@include` take effect as they will in execution. */
    function unlessSkipped({ directives = [] }: SelectionNode, cost: CostOf): CostOf {
      const conditions = directives.flatMap(({ name: { value: name }, arguments: args }) => {
        const condition = args?.find((each) => each.name.value === 'if')?.value;
        return condition && (name === 'skip' || name === 'include') ? [{ name, condition }] : [];
      });
      if (conditions.length === 0) return cost;
      return (variables) =>
        conditions.some(({ name, condition }) => {
          const value = valueIn(condition, variables);
          return name === 'skip' ? value === true : value === false;
        })
          ? 0
          : cost(variables);
    }
  };
}

const FREE: CostOf = () => 0;
const ONE: CostOf = () => 1;
const USUAL: CostOf = () => USUAL_LIST;

function argumentsCost(node: FieldNode, rule: FieldRule | undefined): number {
  if (!rule) return 0;
  return (node.arguments ?? [])
    .map(({ name }) => rule.argumentWeights.get(name.value) ?? 0)
    .reduce((sum, weight) => sum + weight, 0);
}

/** Reads values of arguments: what is said, or the variable's value, or the variable's default. */
function argumentReader(operation: OperationDefinitionNode) {
  const defaults = new Map<string, unknown>();
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue) defaults.set(variable.name.value, valueFromASTUntyped(defaultValue));
  }
  return (value: ValueNode, variables: Readonly<Record<string, unknown>>): unknown => {
    if (value.kind !== Kind.VARIABLE) return valueFromASTUntyped(value);
    const name = value.name.value;
    return Object.hasOwn(variables, name) && variables[name] !== undefined
      ? variables[name]
      : defaults.get(name);
  };
}

/** What is no number is refused later, as is what is below zero. */
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && !Number.isNaN(value) ? Math.max(0, value) : undefined;
}
