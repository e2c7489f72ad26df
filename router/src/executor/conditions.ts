import {
  type DocumentNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { findArgument } from './documents.ts';
import { getValue } from './response-tree.ts';

/** `@include` or `@skip` by a variable. */
export interface Condition {
  variable: string;
  /** The variable's value with which the selection is included. */
  expected: boolean;
}

/** The Boolean variables that decide which fields an operation selects. */
export type ConditionValues = ReadonlyMap<string, boolean>;

/** The conditions of one field or fragment; 'never' when a literal excludes it. */
export function readConditions({ directives = [] }: SelectionNode): readonly Condition[] | 'never' {
  const conditions: Condition[] = [];
  for (const directive of directives) {
    const name = directive.name.value;
    if (name !== 'skip' && name !== 'include') continue;
    const must = name === 'include';
    const value = findArgument(directive, 'if');
    if (value?.kind === Kind.VARIABLE) {
      conditions.push({ variable: value.name.value, expected: must });
    } else if (value?.kind === Kind.BOOLEAN && value.value !== must) return 'never';
  }
  return conditions;
}

/** The variables that `@include` and `@skip` read, with their defaults. */
export function conditionVariables(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Map<string, unknown> {
  const defaults = new Map(
    operation.variableDefinitions?.map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue && valueFromASTUntyped(defaultValue),
    ]),
  );
  const used = new Map<string, unknown>();
  visit(document, {
    Directive({ name, arguments: args }) {
      const value = args?.find((argument) => argument.name.value === 'if')?.value;
      if (value?.kind !== Kind.VARIABLE || !['include', 'skip'].includes(name.value)) return;
      const variable = value.name.value;
      // The document may hold other operations, with variables of their own.
      if (defaults.has(variable)) used.set(variable, defaults.get(variable));
    },
  });
  return used;
}

/** Reads the variables that conditions need; throws a GraphQLError for one that is no Boolean. */
export function conditionValues(
  defaults: ReadonlyMap<string, unknown>,
  variables: Record<string, unknown>,
): ConditionValues {
  const values = new Map<string, boolean>();
  for (const [name, defaultValue] of defaults) {
    const sent = getValue(variables, name);
    const value = sent === undefined ? defaultValue : sent;
    if (typeof value !== 'boolean') {
      throw new GraphQLError(
        `Variable "$${name}" is read by @include or @skip: it must be a Boolean.`,
        {
          extensions: { code: 'BAD_USER_INPUT' },
        },
      );
    }
    values.set(name, value);
  }
  return values;
}
