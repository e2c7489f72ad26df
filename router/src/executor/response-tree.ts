/** The merged responses of the subgraphs: objects by response name. */
export type Tree = { [responseName: string]: unknown };

/** Steps from the root to objects: response names, and '@' for every element of a list. */
export type TreePath = readonly (string | number)[];

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field's value; clients may call their fields `constructor`, so inherited ones do not count. */
export function getValue(tree: Tree, responseName: string): unknown {
  return Object.hasOwn(tree, responseName) ? tree[responseName] : undefined;
}

/** Sets a field, also one called `__proto__`. */
export function setValue(tree: Tree, responseName: string, value: unknown): void {
  if (responseName === '__proto__') {
    Object.defineProperty(tree, responseName, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else tree[responseName] = value;
}

/** Merges `source`, which must not be used afterwards, into `target`. */
export function merge(target: Tree, source: Tree): void {
  for (const name of Object.keys(source)) {
    const added = source[name];
    if (added === undefined) continue;
    if (typeof added !== 'object' || added === null) setValue(target, name, added);
    else setValue(target, name, mergeValues(getValue(target, name), added));
  }
}

function mergeValues(present: unknown, added: unknown): unknown {
  if (isTree(present) && isTree(added)) {
    merge(present, added);
    return present;
  }
  if (Array.isArray(present) && Array.isArray(added) && present.length === added.length) {
    for (let index = 0; index < added.length; index += 1) {
      present[index] = mergeValues(present[index], added[index]);
    }
    return present;
  }
  return added;
}

/** A copy that shares no object with the value. */
export function deepCopy<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(deepCopy) as Value;
  if (!isTree(value)) return value;
  const copy: Tree = {};
  for (const name of Object.keys(value)) setValue(copy, name, deepCopy(value[name]));
  return copy as Value;
}

/** The objects at `path` below these; nulls are skipped. */
export function objectsAt(trees: readonly Tree[], path: TreePath): Tree[] {
  const objects: Tree[] = [];
  for (const tree of trees) collect(tree, path, 0, objects);
  return objects;
}

function collect(value: unknown, path: TreePath, step: number, objects: Tree[]): void {
  if (Array.isArray(value)) {
    const next = path[step] === '@' ? step + 1 : step;
    for (const element of value) collect(element, path, next, objects);
  } else if (isTree(value)) {
    if (step === path.length) objects.push(value);
    else collect(getValue(value, path[step] as string), path, step + 1, objects);
  }
}

/** The exact paths of these objects, in the order of {@link objectsAt}. */
export function placesAt(root: Tree, path: TreePath): (string | number)[][] {
  const places: (string | number)[][] = [];
  const visit = (value: unknown, step: number, place: (string | number)[]): void => {
    if (Array.isArray(value)) {
      const next = path[step] === '@' ? step + 1 : step;
      value.forEach((element, index) => {
        visit(element, next, [...place, index]);
      });
    } else if (isTree(value)) {
      const name = path[step] as string;
      if (step === path.length) places.push(place);
      else visit(getValue(value, name), step + 1, [...place, name]);
    }
  };
  visit(root, 0, []);
  return places;
}
