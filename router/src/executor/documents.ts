import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  parse,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';

export const TYPENAME: FieldNode = {
  kind: Kind.FIELD,
  name: { kind: Kind.NAME, value: '__typename' },
};

/** The fragments of a document, by name. */
export function fragmentsIn({ definitions }: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  }
  return fragments;
}

export function findArgument(
  { arguments: args = [] }: DirectiveNode,
  name: string,
): ValueNode | undefined {
  return args.find((argument) => argument.name.value === name)?.value;
}

/** The fields in an argument of type FieldSet, such as `key` and `requires`; undefined without it. */
export function parseFieldSet(
  directive: DirectiveNode,
  argument: string,
): SelectionSetNode | undefined {
  const value = findArgument(directive, argument);
  if (value?.kind !== Kind.STRING) return undefined;
  const [definition] = parse(`{ ${value.value} }`, { noLocation: true }).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet : undefined;
}

/** The subgraphs' names by those of the enum `join__Graph`. */
export function readSubgraphNames(supergraph: DocumentNode): Map<string, string> {
  const services = new Map<string, string>();
  visit(supergraph, {
    EnumValueDefinition({ name, directives = [] }) {
      const directive = directives.find((each) => each.name.value === 'join__graph');
      const service = directive && findArgument(directive, 'name');
      if (service?.kind === Kind.STRING) services.set(name.value, service.value);
    },
  });
  return services;
}
