import { expect } from '@jest/globals';
import type { GraphQLFormattedError } from 'graphql';
import type { Federation, Result } from './executors.ts';
import type { Faults } from './subgraph.ts';

/** Whether the indexes in errors' paths must be the same too, where the stock ones can be right. */
export type Indexes = 'compared' | 'free';

/**
 * Executes with both executors and expects the same result: the same data in the same order, and the same
 * errors in any order, because subgraphs respond in parallel. Returns the own executor's, with its requests.
 */
export async function expectSameResult(
  federation: Federation,
  query: string,
  variables?: Record<string, unknown>,
  faults?: Faults,
  indexes: Indexes = 'compared',
) {
  const stock = await federation.execute('stock', query, variables, faults);
  const own = await federation.execute('own', query, variables, faults);
  expectSame(own, stock, indexes);
  return own;
}

/** Expects equal results, except for differences that {@link expectSamePaths} allows. */
export function expectSame(own: Result, stock: Result, indexes: Indexes = 'compared'): void {
  expect(JSON.stringify(own.data, null, 1)).toBe(JSON.stringify(stock.data, null, 1));
  expect(own.extensions).toEqual(stock.extensions);
  expect(own.errors === undefined).toBe(stock.errors === undefined);
  const [ours, theirs] = [byMeaning(own.errors), byMeaning(stock.errors)];
  expect(counts(ours)).toEqual(counts(theirs));
  for (const [meaning, paths] of ours) {
    expectSamePaths(paths, theirs.get(meaning) ?? [], own.data, indexes);
  }
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
  indexes: Indexes,
): void {
  const text = (paths: Path[]) => paths.map((path) => JSON.stringify(path)).sort();
  if (JSON.stringify(text(ours)) === JSON.stringify(text(theirs))) return;
  const isDoubtful = (path: Path) => path?.includes('@') || nullAt(data, path) !== path?.length;
  const isTwice = new Set(text(theirs)).size < theirs.length;
  if (indexes === 'compared' && !isTwice && !theirs.some(isDoubtful)) {
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
