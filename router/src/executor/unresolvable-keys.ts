import { type ConstDirectiveNode, Kind, parse, print, visit } from 'graphql';

/**
 * The supergraph without the keys with `resolvable: false` that stand beside a resolvable one of the same type
 * in the same subgraph. To fetch a field with `@requires` the planner takes the first key there, whether or
 * not the subgraph can resolve it.
 */
export function withoutUnresolvableKeys(supergraphSdl: string): string {
  if (!/resolvable:\s*false/.test(supergraphSdl)) return supergraphSdl;
  const hide = <Node extends { directives?: readonly ConstDirectiveNode[] | undefined }>(
    node: Node,
  ): Node => {
    const keys = (node.directives ?? []).map(readKey);
    const directives = node.directives?.filter((_, index) => {
      const key = keys[index];
      if (!key || key.isResolvable) return true;
      return !keys.some((other) => other?.isResolvable && other.graph === key.graph);
    });
    return { ...node, directives };
  };
  const document = parse(supergraphSdl, { noLocation: true });
  return print(visit(document, { ObjectTypeDefinition: hide, InterfaceTypeDefinition: hide }));
}

function readKey({ name, arguments: args = [] }: ConstDirectiveNode) {
  if (name.value !== 'join__type') return undefined;
  const find = (name: string) => args.find((argument) => argument.name.value === name)?.value;
  const [graph, resolvable] = [find('graph'), find('resolvable')];
  if (!find('key') || graph?.kind !== Kind.ENUM) return undefined;
  const isResolvable = !(resolvable?.kind === Kind.BOOLEAN && !resolvable.value);
  return { graph: graph.value, isResolvable };
}
