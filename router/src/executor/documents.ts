import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  print,
  type ValueNode,
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

/** The name of the field's value in the response. */
export function responseNameOf({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

/** The arguments as text, the same for the same arguments in any order. */
export function argumentsText({ arguments: args = [] }: FieldNode): string {
  return args.map(print).sort().join();
}
