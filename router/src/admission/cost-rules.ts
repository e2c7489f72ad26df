import {
  type DirectiveNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  valueFromASTUntyped,
} from 'graphql';

/** The size that is assumed for a field's list. */
export interface ListSize {
  /** Arguments whose value is the size. */
  slicingArguments: readonly string[];
  /** The size without them. */
  assumedSize: number | undefined;
  /** The fields of the field's object that are the list; empty: the field itself is. */
  sizedFields: readonly string[];
}

export interface FieldRule {
  weight: number | undefined;
  listSize: ListSize | undefined;
  /** The weights of arguments, by name. */
  argumentWeights: ReadonlyMap<string, number>;
}

/** The values of `@cost` and `@listSize` in the subgraphs' schemas. */
export interface CostRules {
  /** By type and field, as in `Query.spaces`. */
  fields: ReadonlyMap<string, FieldRule>;
  /** The weights of types, by name. */
  typeWeights: ReadonlyMap<string, number>;
}

/**
 * Reads `@cost` and `@listSize` from the supergraph, because the schema that clients see has lost them.
 */
export function readCostRules(supergraphSdl: string): CostRules {
  const fields = new Map<string, FieldRule>();
  const typeWeights = new Map<string, number>();
  for (const definition of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (!('name' in definition) || !definition.name || !('directives' in definition)) continue;
    const type = definition.name.value;
    const weight = readWeight(definition.directives);
    if (weight !== undefined) typeWeights.set(type, weight);
    if (
      definition.kind === Kind.OBJECT_TYPE_DEFINITION ||
      definition.kind === Kind.INTERFACE_TYPE_DEFINITION
    ) {
      for (const field of definition.fields ?? []) {
        const rule = readRule(field);
        if (rule) fields.set(`${type}.${field.name.value}`, rule);
      }
    }
  }
  return { fields, typeWeights };
}

function readRule({ directives, arguments: args = [] }: FieldDefinitionNode): FieldRule | null {
  const weight = readWeight(directives);
  const sized = readDirective(directives, 'listSize');
  const argumentWeights = new Map<string, number>();
  for (const { name, directives } of args) {
    const weight = readWeight(directives);
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

function readWeight(directives: readonly DirectiveNode[] | undefined): number | undefined {
  return readDirective(directives, 'cost')?.weight as number | undefined;
}

function readDirective(
  directives: readonly DirectiveNode[] | undefined,
  name: string,
): Record<string, unknown> | undefined {
  const directive = directives?.find((each) => each.name.value === name);
  if (!directive) return undefined;
  return Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  );
}
