import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { getValue, isTree, merge, setValue, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import type { TypeConditions } from './type-conditions.ts';

/** Distinct representations, as a subgraph's `_entities` takes them. */
export interface Representations {
  distinct: Tree[];
  /** For each of them, which entities it stands for: indexes of the given ones. */
  entities: number[][];
}

/**
 * Represents `entities` by what the fetch requires of them, equal ones once. Entities that are of
 * another type, or of which not everything required is known, are left out.
 */
export function representationsOf(
  fetch: FetchNode,
  entities: readonly Tree[],
  types: TypeConditions,
): Representations {
  const distinct: Tree[] = [];
  const standsFor: number[][] = [];
  const indexes = new Map<string, number>();
  entities.forEach((entity, at) => {
    const representation = select(entity, fetch.requires ?? [], types);
    if (!representation?.__typename) return;
    applyRewrites(fetch.inputRewrites, representation, types);
    const key = identityOf(representation);
    const known = indexes.get(key);
    if (known !== undefined) {
      standsFor[known]?.push(at);
      return;
    }
    indexes.set(key, distinct.length);
    distinct.push(representation);
    standsFor.push([at]);
  });
  return { distinct, entities: standsFor };
}

/** Equal for equal representations alone: one selection makes them, so their fields are in one order. */
function identityOf(representation: Tree): string {
  let identity = '';
  for (const name of Object.keys(representation)) {
    const value = representation[name];
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    identity += `${name} ${typeof value} ${text.length}:${text}`;
  }
  return identity;
}

/** What the selections take from the source; null when a field is missing. */
function select(
  source: Tree,
  selections: readonly QueryPlanSelectionNode[],
  types: TypeConditions,
): Tree | null {
  const selected: Tree = {};
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const name = selection.alias ?? selection.name;
      const value = getValue(source, name);
      if (value === undefined) return null;
      setValue(selected, name, selectValue(value, selection.selections, types));
    } else if (
      selection.typeCondition !== undefined &&
      types.applies(selection.typeCondition, source, false)
    ) {
      const part = select(source, selection.selections, types);
      if (part) merge(selected, part);
    }
  }
  return selected;
}

function selectValue(
  value: unknown,
  selections: readonly QueryPlanSelectionNode[] | undefined,
  types: TypeConditions,
): unknown {
  if (!selections) return value;
  if (Array.isArray(value)) return value.map((element) => selectValue(element, selections, types));
  return isTree(value) ? select(value, selections, types) : null;
}
