import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { getValue, isTree, merge, setValue, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import type { TypeConditions } from './type-conditions.ts';

/** Distinct representations, the argument of a subgraph's `_entities`. */
export interface Representations {
  distinct: Tree[];
  /** For each representation, the indexes of the entities that it represents. */
  entities: number[][];
  /** The indexes of entities that lack a required field. */
  incomplete: number[];
}

/**
 * Represents `entities` by what the fetch requires of them, equal ones once. Entities that are of
 * another type, or that lack a required field, are left out.
 */
export function buildRepresentations(
  fetch: FetchNode,
  entities: readonly Tree[],
  types: TypeConditions,
): Representations {
  const distinct: Tree[] = [];
  const entityIndexes: number[][] = [];
  const incomplete: number[] = [];
  const indexes = new Map<string, number>();
  for (const [at, entity] of entities.entries()) {
    const representation = select(entity, fetch.requires ?? [], types);
    if (!representation?.__typename) {
      incomplete.push(at);
      continue;
    }
    applyRewrites(fetch.inputRewrites, representation, types);
    const key = toKey(representation);
    const existing = indexes.get(key);
    if (existing !== undefined) {
      entityIndexes[existing]?.push(at);
      continue;
    }
    indexes.set(key, distinct.length);
    distinct.push(representation);
    entityIndexes.push([at]);
  }
  return { distinct, entities: entityIndexes, incomplete };
}

/** Unique for each representation: the same selection creates all, so their fields have one order. */
function toKey(representation: Tree): string {
  let key = '';
  for (const name of Object.keys(representation)) {
    const value = representation[name];
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    key += `${name} ${typeof value} ${text.length}:${text}`;
  }
  return key;
}

/** The selected fields of the source; null when one is missing. */
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
