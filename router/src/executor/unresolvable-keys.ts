import { type ConstDirectiveNode, type DocumentNode, visit } from 'graphql';
import { readKey } from './join-directives.ts';

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
