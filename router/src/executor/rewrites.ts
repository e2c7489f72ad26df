import type { FetchDataRewrite } from '@apollo/query-planner';
import { getValue, isTree, setValue, type Tree } from './response-tree.ts';
import type { SupergraphTypes } from './supergraph-types.ts';

const CONDITION = '... on ';

/** Applies the plan's rewrites to `tree`: renames or sets fields whose names in a subgraph differ. */
export function applyRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  tree: Tree,
  types: SupergraphTypes,
): void {
  for (const rewrite of rewrites ?? []) {
    const field = rewrite.path.at(-1);
    if (field === undefined) continue;
    for (const object of selectObjects(tree, rewrite.path.slice(0, -1), types)) {
      if (rewrite.kind === 'ValueSetter') setValue(object, field, rewrite.setValueTo);
      else rename(object, field, rewrite.renameKeyTo);
    }
  }
}

function rename(object: Tree, from: string, to: string): void {
  const value = getValue(object, from);
  if (value === undefined) return;
  setValue(object, to, value);
  setValue(object, from, undefined);
}

/** The objects that a path of field names and type conditions leads to; lists are traversed. */
function selectObjects(value: unknown, path: readonly string[], types: SupergraphTypes) {
  const found: Tree[] = [];
  const visit = (value: unknown, step: number): void => {
    if (Array.isArray(value)) {
      for (const element of value) visit(element, step);
      return;
    }
    if (!isTree(value)) return;
    const element = path[step];
    if (element === undefined) found.push(value);
    else if (!element.startsWith(CONDITION)) visit(getValue(value, element), step + 1);
    else if (types.applies(element.slice(CONDITION.length), value, true)) visit(value, step + 1);
  };
  visit(value, 0);
  return found;
}
