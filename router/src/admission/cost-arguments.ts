import {
  type FieldNode,
  type GraphQLField,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import type { FieldRule, ListSize } from './cost-rules.ts';

type Variables = Readonly<Record<string, unknown>>;

/** Estimates the cost, or a size, with these variables, before an operation is executed. */
export type CostEstimate = (variables: Variables) => number;

export type ReadArgument = (value: ValueNode, variables: Variables) => unknown;

/** The assumed size of a list without `@listSize`. */
export const DEFAULT_LIST_SIZE = 10;

/** Reads values of arguments: the literal, else the variable's value, else the variable's default. */
export function argumentReader(operation: OperationDefinitionNode): ReadArgument {
  const defaults = new Map<string, unknown>();
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue) defaults.set(variable.name.value, valueFromASTUntyped(defaultValue));
  }
  return (value, variables) => {
    if (value.kind !== Kind.VARIABLE) return valueFromASTUntyped(value);
    const name = value.name.value;
    return Object.hasOwn(variables, name) && variables[name] !== undefined
      ? variables[name]
      : defaults.get(name);
  };
}

/** The largest of the slicing arguments; without any, the default of one, or the assumed size. */
export function listSizeEstimate(
  { slicingArguments, assumedSize }: ListSize,
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  readArgument: ReadArgument,
): CostEstimate {
  const readers = slicingArguments.map((name) => {
    const value = node.arguments?.find((each) => each.name.value === name)?.value;
    const defaultValue = field.args.find((each) => each.name === name)?.defaultValue;
    return (variables: Variables) =>
      toCount(value && readArgument(value, variables)) ?? toCount(defaultValue);
  });
  return (variables) => {
    const sizes = readers.map((read) => read(variables)).filter((size) => size !== undefined);
    return sizes.length > 0 ? Math.max(...sizes) : (assumedSize ?? DEFAULT_LIST_SIZE);
  };
}

/** The cost, or 0 where `@skip` and `@include` exclude the selection with these variables. */
export function unlessSkipped(
  { directives = [] }: SelectionNode,
  cost: CostEstimate,
  readArgument: ReadArgument,
): CostEstimate {
  const conditions = directives.flatMap(({ name: { value: name }, arguments: args }) => {
    const condition = args?.find((each) => each.name.value === 'if')?.value;
    return condition && (name === 'skip' || name === 'include') ? [{ name, condition }] : [];
  });
  if (conditions.length === 0) return cost;
  return (variables) =>
    conditions.some(({ name, condition }) => {
      const value = readArgument(condition, variables);
      return name === 'skip' ? value === true : value === false;
    })
      ? 0
      : cost(variables);
}

/** The sum of the weights of the arguments that are present. */
export function argumentsCost(node: FieldNode, rule: FieldRule | undefined): number {
  if (!rule) return 0;
  return (node.arguments ?? [])
    .map(({ name }) => rule.argumentWeights.get(name.value) ?? 0)
    .reduce((sum, weight) => sum + weight, 0);
}

/** Ignores what is no number, and raises negative numbers to 0: execution refuses both. */
function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && !Number.isNaN(value) ? Math.max(0, value) : undefined;
}
