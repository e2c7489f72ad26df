import type pg from 'pg';
import { type Queryable, statement } from './postgres.ts';

/** The values of a statement's parameters, by their names. */
export type NamedValues<Name extends string> = Readonly<Record<Name, unknown>>;

interface CompiledText {
  /** The text with `$1`, `$2` … for the names. */
  text: string;
  /** The names in the order of their numbers, each once. */
  names: readonly string[];
}

// What may hold a colon without naming a parameter: comments, quoted texts and names, dollar-quoted texts
// and casts.
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|::|:([A-Za-z_]\w*)/g;
const NUMBERED = /\$\d/;

/** Replaces each `:name` by its number. Throws when the text has a numbered parameter as well. */
export function compileNamed(text: string): CompiledText {
  const names: string[] = [];
  let outside = '';
  let end = 0;
  const compiled = text.replaceAll(TOKENS, (token, _tag, name: string | undefined, at: number) => {
    outside += text.slice(end, at);
    end = at + token.length;
    if (name === undefined) return token;
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  if (NUMBERED.test(outside + text.slice(end))) {
    throw new Error('a statement has either named or numbered parameters, not both');
  }
  return { text: compiled, names };
}

/**
 * A {@link statement} whose parameters are written `:name`; the text is compiled once. `Name` is the
 * union of the names. A call rejects, before anything is sent, when the values lack a name of the text
 * (`undefined` is no value, `null` is) or have another one.
 */
export function namedStatement<Row extends pg.QueryResultRow, Name extends string>(
  name: string,
  text: string,
) {
  const { text: numbered, names } = compileNamed(text);
  const run = statement<Row>(name, numbered);
  return async (db: Queryable, values: NamedValues<Name>): Promise<Row[]> => {
    const byName = values as Readonly<Record<string, unknown>>;
    const ordered = names.map((each) => {
      const value = byName[each];
      if (value === undefined) throw new Error(`the statement ${name} lacks a value for ${each}`);
      return value;
    });
    const given = Object.keys(byName);
    if (given.length !== names.length) {
      const unknown = given.filter((each) => !names.includes(each));
      throw new Error(`the statement ${name} has no parameter ${unknown.join(', ')}`);
    }
    return run(db, ...ordered);
  };
}
