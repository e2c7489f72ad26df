// The settings as data, derived from the zod schemas of those who read them.
import { CONSOLE, SERVICES, START } from './readers.mjs';

/**
 * @typedef {object} Setting
 * @property {string} name
 * @property {string} group a key of SETTING_GROUPS
 * @property {string} description
 * @property {string | undefined} example
 * @property {string[]} readers names, with the profile where it is one alone
 * @property {Map<string | symbol, string[]>} defaults what applies without the variable (a value, `REQUIRED` or
 *   `NOT_SET`), with its readers
 * @property {boolean} isRequired by a service in the servers profile
 */

/**
 * @typedef {import('zod').ZodType & { def: any }} Schema
 * @typedef {import('./readers.mjs').Reader} Reader
 * @typedef {{
 *   reader: Reader, schema: Schema, group?: string | undefined, description?: string | undefined,
 *   examples?: unknown[] | undefined,
 * }} Use
 */

export const REQUIRED = Symbol('required');
export const NOT_SET = Symbol('not set');

/**
 * Every setting that one of the readers reads, in the order of groups and schemas. Throws an error with
 * a sentence for each setting that has no group or description, or that two readers describe differently.
 *
 * @param {import('./readers.mjs').Readers} loaded
 * @returns {Setting[]}
 */
export function describeSettings({ readers, SETTING_GROUPS, groupOf }) {
  /** @type {Map<string, Use[]>} */
  const found = new Map();
  for (const reader of readers) {
    for (const [name, declared] of Object.entries(reader.shape)) {
      const schema = /** @type {Schema} */ (declared);
      if (isForbidden(schema)) continue;
      const uses = found.get(name) ?? [];
      uses.push({ reader, schema, group: groupOf(schema), ...schema.meta() });
      found.set(name, uses);
    }
  }
  const problems = [...found].flatMap(([name, uses]) => findProblems(name, uses));
  if (problems.length > 0) {
    throw new Error(`The settings cannot be described:\n  ${problems.join('\n  ')}`);
  }
  const order = Object.keys(SETTING_GROUPS);
  return [...found]
    .map(([name, uses]) => toSetting(name, uses))
    .sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
}

/**
 * `npm start` may leave out a description that the service has to which it passes the setting.
 *
 * @param {string} name
 * @param {Use[]} uses
 */
function findProblems(name, uses) {
  const problems = [];
  const silent = uses.filter((use) => !use.description && use.reader.name !== START);
  for (const { reader } of silent) {
    problems.push(`${name} has no description in the settings of ${reader.name}: add .describe().`);
  }
  const descriptions = new Set(uses.flatMap(({ description }) => description ?? []));
  if (descriptions.size === 0 && silent.length === 0) problems.push(`${name} has no description.`);
  if (descriptions.size > 1) {
    problems.push(
      `${name} has ${descriptions.size} descriptions: ${[...descriptions].join(' / ')}`,
    );
  }
  const groups = new Set(uses.flatMap(({ group }) => group ?? []));
  if (groups.size === 0) problems.push(`${name} is in no group: put it into grouped().`);
  if (groups.size > 1) problems.push(`${name} is in the groups ${[...groups].join(' and ')}.`);
  return problems;
}

/**
 * @param {string} name
 * @param {Use[]} uses
 * @returns {Setting}
 */
function toSetting(name, uses) {
  const first = (/** @type {(use: Use) => any} */ read) =>
    uses.map(read).find((value) => value !== undefined);
  const defaults = new Map();
  for (const { reader, schema } of uses) {
    const value = findDefault(schema);
    defaults.set(value, [...new Set([...(defaults.get(value) ?? []), reader.name])]);
  }
  return {
    name,
    group: first(({ group }) => group),
    description: first(({ description }) => description),
    example: first(({ examples }) => examples?.[0]),
    readers: nameReaders(uses.map(({ reader }) => reader)),
    defaults,
    isRequired: uses.some(({ reader, schema }) => requiresValue(reader, schema)),
  };
}

/**
 * A reader with a profile is one of two: it reads in both profiles what both of them have.
 *
 * @param {Reader[]} readers
 */
function nameReaders(readers) {
  const names = [...new Set(readers.map(({ name }) => name))];
  return [...SERVICES, CONSOLE, START]
    .filter((name) => names.includes(name))
    .map((name) => {
      const uses = readers.filter((reader) => reader.name === name);
      const profile = uses[0]?.profile;
      return profile && uses.length === 1 ? `${name} (${profile} profile)` : name;
    });
}

/**
 * @param {Reader} reader
 * @param {Schema} schema
 */
function requiresValue({ name, profile }, schema) {
  return SERVICES.includes(name) && profile !== 'embedded' && findDefault(schema) === REQUIRED;
}

/**
 * The value that applies when the variable is missing, or `REQUIRED` or `NOT_SET`.
 *
 * @param {Schema} schema
 * @returns {string | symbol}
 */
function findDefault(schema) {
  for (let inner = schema; inner; inner = inner.def.innerType ?? inner.def.in) {
    if (inner.def.type === 'default') return String(inner.def.defaultValue) || NOT_SET;
  }
  return schema.safeParse(undefined).success ? NOT_SET : REQUIRED;
}

/**
 * Whether the schema accepts only undefined, because the setting belongs to another profile.
 *
 * @param {Schema} schema
 */
function isForbidden(schema) {
  return schema.def.type === 'optional' && schema.def.innerType.def.type === 'undefined';
}
