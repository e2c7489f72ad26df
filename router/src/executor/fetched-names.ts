import type { FetchNode, PlanNode, SubscriptionNode } from '@apollo/query-planner';
import { Kind, parse, type SelectionSetNode } from 'graphql';
import { fragmentsIn, responseNameOf } from './documents.ts';

const namesOf = new WeakMap<FetchNode, ReadonlySet<string>>();

/** The response names that a fetch brings for each of its objects. */
export function fetchedNames(fetch: FetchNode): ReadonlySet<string> {
  const cached = namesOf.get(fetch);
  if (cached) return cached;
  const names = new Set<string>();
  const document = parse(fetch.operation, { noLocation: true });
  const fragments = fragmentsIn(document);
  const addAll = (set: SelectionSetNode | undefined, isEntity: boolean): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.INLINE_FRAGMENT) addAll(selection.selectionSet, isEntity);
      else if (selection.kind === Kind.FRAGMENT_SPREAD)
        addAll(fragments.get(selection.name.value)?.selectionSet, isEntity);
      else if (!isEntity && fetch.requires) addAll(selection.selectionSet, true);
      else names.add(responseNameOf(selection));
    }
  };
  const operation = document.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
  addAll(operation?.selectionSet, false);
  for (const rewrite of fetch.outputRewrites ?? []) {
    if (rewrite.kind === 'KeyRenamer') names.add(rewrite.renameKeyTo);
  }
  namesOf.set(fetch, names);
  return names;
}

/** The response names at the root that a plan fetches. */
export function fetchedRootNames(node: PlanNode | SubscriptionNode | undefined): string[] {
  switch (node?.kind) {
    case 'Fetch':
      return node.requires ? [] : [...fetchedNames(node)];
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(fetchedRootNames);
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap(fetchedRootNames);
    case 'Subscription':
      return [node.primary, node.rest].flatMap(fetchedRootNames);
    default:
      return [];
  }
}
