import { type ConstDirectiveNode, type DocumentNode, Kind, visit } from 'graphql';
import { findArgument } from './documents.ts';

/**
 * The supergraph without the keys with `resolvable: false` that stand beside a resolvable one of the same type
 * in the same subgraph. To fetch a field with `@requires` the planner takes the first key there, whether or
 * not the subgraph can resolve it.
 */
export function withoutUnresolvableKeys(supergraph: DocumentNode): DocumentNode {
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
  return visit(supergraph, { ObjectTypeDefinition: hide, InterfaceTypeDefinition: hide });
}

function readKey(directive: ConstDirectiveNode) {
  if (directive.name.value !== 'join__type' || !findArgument(directive, 'key')) return undefined;
  const graph = findArgument(directive, 'graph');
  if (graph?.kind !== Kind.ENUM) return undefined;
  const resolvable = findArgument(directive, 'resolvable');
  const isResolvable = !(resolvable?.kind === Kind.BOOLEAN && !resolvable.value);
  return { graph: graph.value, isResolvable };
}
