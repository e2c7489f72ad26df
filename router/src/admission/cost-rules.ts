import {
  type DirectiveNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  valueFromASTUntyped,
} from 'graphql';

/** How many objects a field's list is taken to have. */
export interface ListSize {
  /** Arguments that say how many. */
  slicingArguments: readonly string[];
  /** How many without them. */
  assumedSize: number | undefined;
  /** Which of the field's own fields are the list; none: the field itself is. */
  sizedFields: readonly string[];
}

export interface FieldRule {
  weight: number | undefined;
  listSize: ListSize | undefined;
  /** Of arguments that have one. */
  argumentWeights: ReadonlyMap<string, number>;
}

/** What `@cost` and `@listSize` say in the subgraphs' schemas. */
export interface CostRules {
  /** By type and field, as in `Query.spaces`. */
  fields: ReadonlyMap<string, FieldRule>;
  /** Of types that have one. */
  typeWeights: ReadonlyMap<string, number>;
}

/**
 * Reads federation's `@cost` and `@listSize` from a supergraph, to which composition carries them. Types
 * of the schema that clients see have lost them.
 */
export function costRules(supergraphSdl: string): CostRules {
  const fields = new Map<string, FieldRule>();
  const typeWeights = new Map<string, number>();
  for (const definition of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (!('name' in definition) || !definition.name || !('directives' in definition)) continue;
    const type = definition.name.value;
    const weight = weightOf(definition.directives);
    if (weight !== undefined) typeWeights.set(type, weight);
    if (
      definition.kind === Kind.OBJECT_TYPE_DEFINITION ||
      definition.kind === Kind.INTERFACE_TYPE_DEFINITION
    ) {
      for (const field of definition.fields ?? []) {
        const rule = ruleOf(field);
        if (rule) fields.set(`${type}.${field.name.value}`, rule);
      }
    }
  }
  return { fields, typeWeights };
}

function ruleOf({ directives, arguments: args = [] }: FieldDefinitionNode): FieldRule | null {
  const weight = weightOf(directives);
  const sized = argumentsOf(directives, 'listSize');
  const argumentWeights = new Map<string, number>();
  for (const { name, directives } of args) {
    const weight = weightOf(directives);
    if (weight !== undefined) argumentWeights.set(name.value, weight);
  }
  if (weight === undefined && !sized && argumentWeights.size === 0) return null;
  const listSize = sized && {
    slicingArguments: (sized.slicingArguments as string[] | undefined) ?? [],
    assumedSize: sized.assumedSize as number | undefined,
    sizedFields: (sized.sizedFields as string[] | undefined) ?? [],
  };
  return { weight, listSize, argumentWeights };
}

function weightOf(directives: readonly DirectiveNode[] | undefined): number | undefined {
  return argumentsOf(directives, 'cost')?.weight as number | undefined;
}

function argumentsOf(
  directives: readonly DirectiveNode[] | undefined,
  name: string,
): Record<string, unknown> | undefined {
  const directive = directives?.find((each) => each.name.value === name);
  if (!directive) return undefined;
  return Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  );
}
