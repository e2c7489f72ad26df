import { expect } from '@jest/globals';
import type { GraphQLFormattedError } from 'graphql';
import type { Federation, Result } from './executors.ts';
import type { Faults } from './subgraph.ts';

/**
 * 'exact': both have the same result, apart from the differences below. 'lossy': for operations whose plans
 * may lose values in the stock executor. It then has null, or no field, without an error, where the own one has a
 * value; the oracle suite knows which is right. It also merges fragments, so that the order of keys is free, and
 * so are the indexes in errors' paths, which it counts differently.
 */
export type Comparison = 'exact' | 'lossy';

/**
 * Executes with both executors and expects the same result: the same data in the same order, and the same
 * errors in any order, because subgraphs respond in parallel. Returns the own executor's, with its requests.
 */
export async function expectSameResult(
  federation: Federation,
  query: string,
  variables?: Record<string, unknown>,
  faults?: Faults,
  comparison: Comparison = 'exact',
) {
  const stock = await federation.execute('stock', query, variables, faults);
  const own = await federation.execute('own', query, variables, faults);
  expectSame(own, stock, comparison, /@(include|skip)\b/.test(query));
  return own;
}

/**
 * Expects equal results, except for differences on purpose, where the stock executor departs from the GraphQL
 * specification ("Handling Execution Errors"):
 * - A fetch that failed as a whole: stock reports one error without a path for each fetch; the own executor
 *   one for each field of the client that is null because of it.
 * - An interface object whose type was not fetched: stock applies no fragment to it, and returns the rest.
 * - A response with neither data nor errors: stock says nothing.
 * - A null where the schema allows none, without an error of a subgraph: stock reports it in `extensions`
 *   only, and not at all beside an error of another field; the own executor in `errors`.
 * - An object whose type is not known: stock makes it null and says nothing.
 * - The wrong paths that {@link expectSamePaths} allows.
 * - What {@link Comparison} 'lossy' allows.
 */
export function expectSame(
  own: Result,
  stock: Result,
  comparison: Comparison = 'exact',
  hasConditions = false,
): void {
  expect(own.extensions).toBeUndefined();
  const { errors = [] } = own;
  // A request that is refused has no data, and errors without paths.
  const isRefused = own.data === undefined;
  const isLocated = ({ path }: GraphQLFormattedError) => isRefused || path !== undefined;
  const failedFetches = new Set(
    (stock.errors ?? []).filter((error) => !isLocated(error)).map(({ message }) => message),
  );
  const isOfFetch = ({ message }: GraphQLFormattedError) =>
    failedFetches.has(message) || message.endsWith('responded without data.');
  const isOfSchema = ({ extensions }: GraphQLFormattedError) =>
    extensions?.code === 'INVALID_GRAPHQL';

  const ofFetches = errors.filter(isOfFetch);
  const known = withNulls(stock.data, ofFetches, own.data);
  const isLossy = comparison === 'lossy';
  const expected = isLossy ? withLost(known, own.data) : known;
  expect(JSON.stringify(own.data, null, 1)).toBe(JSON.stringify(expected, null, 1));
  expectFieldsAreNull(ofFetches, own.data);
  expectSameSchemaErrors(errors.filter(isOfSchema), errors, stock, isLossy ? own.data : undefined);
  const ours = byMeaning(errors.filter((error) => !isOfFetch(error) && !isOfSchema(error)));
  const theirs = byMeaning(stock.errors?.filter(isLocated));
  // What the stock executor has lost with a condition may have errors too.
  if (isLossy && hasConditions) {
    for (const [meaning, paths] of theirs) {
      expect(ours.get(meaning)?.length ?? 0).toBeGreaterThanOrEqual(paths.length);
    }
    return;
  }
  expect(counts(ours)).toEqual(counts(theirs));
  for (const [meaning, paths] of ours) {
    expectSamePaths(paths, theirs.get(meaning) ?? [], own.data, comparison);
  }
}

/** Stock's value in the order of the own one, with the own values where stock has none. */
function withLost(stock: unknown, own: unknown): unknown {
  if (stock === null || stock === undefined) return own;
  if (Array.isArray(stock) && Array.isArray(own) && stock.length === own.length) {
    return stock.map((each, at) => withLost(each, own[at]));
  }
  const isObject = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(stock) || !isObject(own)) return stock;
  const ours = own as Record<string, unknown>;
  const theirs = stock as Record<string, unknown>;
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return Object.fromEntries([...names].map((name) => [name, withLost(theirs[name], ours[name])]));
}

/** Stock's data, with null for the objects that are null in the own data because of a failed fetch. */
function withNulls(
  data: Result['data'],
  errors: readonly GraphQLFormattedError[],
  own: Result['data'],
): Result['data'] {
  let copy = structuredClone(data);
  for (const { path = [] } of errors) {
    const steps = nullAt(own, path);
    if (steps === 0) copy = null;
    if (typeof steps !== 'number' || steps === 0) continue;
    let object = copy as Record<string | number, unknown> | null | undefined;
    for (const step of path.slice(0, steps - 1)) object = object?.[step] as typeof object;
    const last = path[steps - 1];
    // A leaf, or a null further up, must be the same in both.
    if (last !== undefined && typeof object?.[last] === 'object') object[last] = null;
  }
  return copy;
}

/** A field has one error at most, and is null. */
function expectFieldsAreNull(errors: readonly GraphQLFormattedError[], data: Result['data']) {
  const paths = errors.map(({ path }) => JSON.stringify(path));
  expect(new Set(paths).size).toBe(paths.length);
  expect(errors.filter(({ path }) => nullAt(data, path) === 'value')).toEqual([]);
  expect(errors.filter(({ path }) => nullAt(data, path) === 'nothing')).toEqual([]);
}

/** Stock's `extensions.valueCompletion`, but for what another error of the same field explains. */
function expectSameSchemaErrors(
  ours: readonly GraphQLFormattedError[],
  all: readonly GraphQLFormattedError[],
  { extensions = {}, errors = [] }: Result,
  found?: Result['data'],
): void {
  // What the stock executor has lost may be a null of a non-null type.
  const isFound = ({ path }: GraphQLFormattedError) => found && nullAt(found, path) === 'value';
  const completed = (extensions.valueCompletion ?? []) as GraphQLFormattedError[];
  const theirs = completed.filter((error) => !isFound(error));
  const text = ({ message, path }: GraphQLFormattedError) => JSON.stringify([message, path]);
  const known = new Set(theirs.map(text));
  const isKnown = (error: GraphQLFormattedError) =>
    known.has(text(error)) || error.message.startsWith('Invalid __typename');
  if (errors.length === 0) expect(ours.filter((error) => !isKnown(error))).toEqual([]);
  // By an error of the field, of one in its value, or of an object that contains it.
  const isExplained = ({ path: theirs = [] }: GraphQLFormattedError) =>
    all.some(({ path: ours = [] }) =>
      (ours.length < theirs.length ? ours : theirs).every((_, at) => ours[at] === theirs[at]),
    );
  // An object that is null has one error: of the first field without a value, and their order is free.
  const isOfNull = ({ path: theirs = [] }: GraphQLFormattedError) => {
    const depth = found && nullAt(found, theirs);
    if (typeof depth !== 'number') return false;
    const object = theirs.slice(0, depth);
    return all.some(({ path: ours = [] }) => object.every((step, at) => ours[at] === step));
  };
  expect(theirs.filter((error) => !isExplained(error) && !isOfNull(error))).toEqual([]);
}

type Path = GraphQLFormattedError['path'];

/** The paths of errors, grouped by what else is equal. */
function byMeaning(errors: Result['errors'] = []): Map<string, Path[]> {
  const paths = new Map<string, Path[]>();
  for (const { message, extensions, locations, path } of errors) {
    const meaning = JSON.stringify([message, extensions, locations]);
    paths.set(meaning, [...(paths.get(meaning) ?? []), path]);
  }
  return paths;
}

function counts(errors: Map<string, Path[]>): [string, number][] {
  return [...errors].map(([meaning, { length }]): [string, number] => [meaning, length]).sort();
}

/**
 * The stock executor reports wrong paths for errors of entities: its indexes count all objects of a list,
 * also those of types that it did not fetch, and without a single entity the path contains '@' and
 * '_entities'. Where its path cannot be right, or the data does not decide, the names in the paths must be
 * equal and the own executor's path must lead to null.
 */
function expectSamePaths(
  ours: Path[],
  theirs: Path[],
  data: Result['data'],
  comparison: Comparison,
): void {
  const text = (paths: Path[]) => paths.map((path) => JSON.stringify(path)).sort();
  if (JSON.stringify(text(ours)) === JSON.stringify(text(theirs))) return;
  const isDoubtful = (path: Path) => path?.includes('@') || nullAt(data, path) !== path?.length;
  const isTwice = new Set(text(theirs)).size < theirs.length;
  if (comparison === 'exact' && !isTwice && !theirs.some(isDoubtful)) {
    expect(text(ours)).toEqual(text(theirs));
  }
  expect(text(ours.map(namesIn))).toEqual(text(theirs.map(namesIn)));
  // Fields that only the plan selects are not in the data.
  expect(ours.filter((path) => nullAt(data, path) === 'value')).toEqual([]);
}

function namesIn(path: Path): Path {
  return path?.filter((step) => typeof step === 'string' && step !== '@' && step !== '_entities');
}

/** After how many steps the path comes to a null; else what it leads to. */
function nullAt(data: unknown, path: Path = []): number | 'value' | 'nothing' {
  let value = data;
  for (const [steps, step] of path.entries()) {
    if (value === null) return steps;
    if (value === undefined) return 'nothing';
    value = (value as Record<string | number, unknown>)[step];
  }
  if (value === null) return path.length;
  return value === undefined ? 'nothing' : 'value';
}
