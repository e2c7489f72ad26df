import { describe, expect, test } from '@jest/globals';
import { compileNamed, namedStatement } from '../database/named-statement.ts';
import type { Queryable } from '../database/postgres.ts';

describe('the compiler of named parameters', () => {
  test.each<[string, string, string, string[]]>([
    [
      'numbers names in the order of their first use',
      'a = :b AND c = :a',
      'a = $1 AND c = $2',
      ['b', 'a'],
    ],
    ['gives a repeated name one number', ':a, :b, :a', '$1, $2, $1', ['a', 'b']],
    [
      'leaves casts alone',
      "now()::date, :a::uuid, ':b'::text",
      "now()::date, $1::uuid, ':b'::text",
      ['a'],
    ],
    ['leaves quoted texts and names alone', `':a''s :b', ":c", :d`, `':a''s :b', ":c", $1`, ['d']],
    ['leaves comments alone', '-- :a\n/* :b */ :c', '-- :a\n/* :b */ $1', ['c']],
    [
      'leaves dollar-quoted texts alone',
      '$$ :a $1 $$, $x$ :b $x$, :c',
      '$$ :a $1 $$, $x$ :b $x$, $1',
      ['c'],
    ],
    [
      'does not mix up names that begin alike',
      ':id, :id_2, :idea',
      '$1, $2, $3',
      ['id', 'id_2', 'idea'],
    ],
    ['accepts a text without parameters', 'SELECT 1', 'SELECT 1', []],
  ])('the compiler %s', (_name, text, compiled, names) => {
    expect(compileNamed(text)).toEqual({ text: compiled, names });
  });

  test('the compiler refuses a text with named and numbered parameters', () => {
    expect(() => compileNamed('SELECT :a, $1')).toThrow(/named or numbered/);
  });
});

describe('a named statement', () => {
  const sent: unknown[] = [];
  const db = {
    query: async (query: unknown) => {
      sent.push(query);
      return { rows: [{ sum: 3 }] };
    },
  } as unknown as Queryable;
  const add = namedStatement<{ sum: number }, 'a' | 'b'>('add', 'SELECT :b::int - :a AS sum');

  test('a named statement sends its values in the order of the numbers, and returns the rows', async () => {
    expect(await add(db, { a: 1, b: null })).toEqual([{ sum: 3 }]);
    expect(sent.splice(0)).toEqual([
      { name: 'add', text: 'SELECT $1::int - $2 AS sum', values: [null, 1] },
    ]);
  });

  test.each<[string, object, RegExp]>([
    ['lack a name', { b: 2 }, /add lacks a value for a/],
    ['have an undefined value', { a: undefined, b: 2 }, /add lacks a value for a/],
    ['have an unknown name', { a: 1, b: 2, c: 3 }, /add has no parameter c/],
  ])('a named statement sends nothing when its values %s', async (_name, values, message) => {
    await expect(add(db, values as { a: number; b: number })).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });
});
