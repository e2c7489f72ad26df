import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { isIdentified, type KeysByType } from './entity-keys.ts';
import type { Failures } from './failures.ts';
import { fetchedNames } from './fetched-names.ts';
import { getValue, isTree, merge, setValue, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import type { SupergraphTypes } from './supergraph-types.ts';

/** Distinct representations, the argument of a subgraph's `_entities`. */
export interface Representations {
  distinct: Tree[];
  /** For each representation, the indexes of the entities that it represents. */
  entities: number[][];
  /** The indexes of entities that lack a key or a required field. */
  incomplete: number[];
  /** The indexes of representations without all that the fetch requires. */
  partial: ReadonlySet<number>;
}

/** What representations are built with. */
export interface RepresentationInput {
  types: SupergraphTypes;
  /** Of the subgraph. */
  keys: KeysByType;
  failures: Failures;
  unresolved: Failures;
}

/**
 * Represents `entities` by what the fetch requires of them, equal ones once. Entities of another type, and
 * entities whose key or required field is missing because of a failure or of an unknown entity, are left out.
 * A required field that the plan has not fetched for this entity is left out of its representation: conditions
 * and fragments exclude the fields that require it, and the others need a value.
 */
export function buildRepresentations(
  fetch: FetchNode,
  entities: readonly Tree[],
  input: RepresentationInput,
): Representations {
  const { types, keys, unresolved } = input;
  const distinct: Tree[] = [];
  const entityIndexes: number[][] = [];
  const incomplete: number[] = [];
  const partial = new Set<number>();
  const indexes = new Map<string, number>();
  const requires = fetch.requires ?? [];
  for (const [at, entity] of entities.entries()) {
    const representation: Tree = {};
    const missing = addSelected(representation, entity, requires, input);
    if (representation.__typename) applyRewrites(fetch.inputRewrites, representation, types);
    if (
      !isIdentified(representation, keys) ||
      missing.some((each) => isLost(entity, each, input))
    ) {
      incomplete.push(at);
      if (representation.__typename) unresolved.add([entity], fetchedNames(fetch), null);
      continue;
    }
    const key = toKey(representation);
    const existing = indexes.get(key);
    if (existing !== undefined) {
      entityIndexes[existing]?.push(at);
      continue;
    }
    if (missing.length > 0) partial.add(distinct.length);
    indexes.set(key, distinct.length);
    distinct.push(representation);
    entityIndexes.push([at]);
  }
  return { distinct, entities: entityIndexes, incomplete, partial };
}

/** Whether a field is missing because of a failure, or of an entity that its subgraph does not know. */
function isLost(
  object: Tree,
  field: QueryPlanSelectionNode,
  { failures, unresolved }: RepresentationInput,
): boolean {
  return (failures.findIn(object, [field]) ?? unresolved.findIn(object, [field])) !== undefined;
}

/** Adds the selected fields of the source; returns those that it lacks. */
function addSelected(
  target: Tree,
  source: Tree,
  selections: readonly QueryPlanSelectionNode[],
  input: RepresentationInput,
): QueryPlanSelectionNode[] {
  const missing: QueryPlanSelectionNode[] = [];
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const name = selection.alias ?? selection.name;
      const value = selectValue(getValue(source, name), selection, input, missing);
      if (value !== undefined) addValue(target, name, value);
    } else if (
      selection.typeCondition !== undefined &&
      input.types.applies(selection.typeCondition, source, false)
    ) {
      missing.push(...addSelected(target, source, selection.selections, input));
    }
  }
  return missing;
}

/** The same field may be required in several fragments. */
function addValue(target: Tree, name: string, value: unknown): void {
  if (getValue(target, name) === undefined) setValue(target, name, value);
  else merge(target, { [name]: value });
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

/**
 * The value with the selected fields; undefined where the plan has fetched none of them. Conditions may leave
 * out some that one field requires of an object, and not those that another requires of it. The field is
 * added to `missing` where something lacks.
 */
function selectValue(
  value: unknown,
  field: QueryPlanSelectionNode & { kind: 'Field' },
  input: RepresentationInput,
  missing: QueryPlanSelectionNode[],
): unknown {
  const { selections } = field;
  if (value === undefined) return lack(field, missing);
  if (!selections) return value;
  if (Array.isArray(value)) {
    const elements = value.map((element) => selectValue(element, field, input, missing));
    if (!elements.includes(undefined)) return elements;
    if (!elements.some((each) => each !== undefined && each !== null)) return undefined;
    return elements.map((each, index) =>
      each === undefined && isTree(value[index]) ? {} : (each ?? null),
    );
  }
  if (!isTree(value)) return null;
  const selected: Tree = {};
  const lacking = addSelected(selected, value, selections, input);
  if (lacking.length === 0) return selected;
  // Like Apollo's executor: what is lost below is a null of the object that contains it.
  if (lacking.some((each) => isLost(value, each, input))) return null;
  lack(field, missing);
  return Object.keys(selected).length > 0 ? selected : undefined;
}

/** Once for all elements of a list. */
function lack(field: QueryPlanSelectionNode, missing: QueryPlanSelectionNode[]): undefined {
  if (missing.at(-1) !== field) missing.push(field);
}
