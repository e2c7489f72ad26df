import {
  type ASTVisitor,
  GraphQLError,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/**
 * The root field of a subscription must not depend on a variable: GraphQL's draft, section 5.2.4.1,
 * "Single Root Field". The library's own rule does not check it yet.
 */
export function unconditionalSubscriptionRule(context: ValidationContext): ASTVisitor {
  const isConditional = (node: SelectionNode) =>
    node.directives?.find(({ name: { value } }) => value === 'skip' || value === 'include');

  function check({ selections }: SelectionSetNode, seen: Set<SelectionSetNode>): void {
    for (const selection of selections) {
      const directive = isConditional(selection);
      if (directive) {
        const message = `A subscription's root field cannot have @${directive.name.value}.`;
        context.reportError(new GraphQLError(message, { nodes: directive }));
      }
      const inner =
        selection.kind === 'FragmentSpread'
          ? context.getFragment(selection.name.value)?.selectionSet
          : selection.kind === 'InlineFragment' && selection.selectionSet;
      // Each fragment once, because fragments that spread each other multiply the paths.
      if (!inner || seen.has(inner)) continue;
      seen.add(inner);
      check(inner, seen);
    }
  }

  return {
    OperationDefinition({ operation, selectionSet }) {
      if (operation === OperationTypeNode.SUBSCRIPTION)
        check(selectionSet, new Set([selectionSet]));
    },
  };
}
