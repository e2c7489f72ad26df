// What a change of the event contracts breaks. During a rollout consumers of the previous release
// read events of the new one, and the new one reads those of the previous release for ever.

/**
 * A JSON Schema, as far as it is compared.
 *
 * @typedef {{
 *   type?: string | string[], properties?: Record<string, Schema>, required?: string[],
 *   anyOf?: Schema[], oneOf?: Schema[], enum?: unknown[], const?: unknown, [key: string]: any,
 * }} Schema
 * @typedef {{
 *   topic: string, consumers: string[], schemaVersion: number, accepts: Schema, publishes?: Schema,
 * }} EventDescription
 * @typedef {{ newValues: boolean }} Options
 */

const ANNOTATIONS = new Set(
  '$schema id title description default examples deprecated readOnly writeOnly'.split(' '),
);
const COMPARED = new Set(
  (
    'type properties required additionalProperties propertyNames items anyOf oneOf enum const ' +
    'format pattern minimum exclusiveMinimum minLength minItems minProperties ' +
    'maximum exclusiveMaximum maxLength maxItems maxProperties'
  ).split(' '),
);
const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];

/**
 * Sentences on what `now` breaks for those who rely on `before`; none when nothing is broken. Both
 * are events by their type: `{ topic, consumers, schemaVersion, accepts, publishes }`, where `accepts` is
 * the JSON Schema of the payloads that consumers accept, and `publishes` that of what producers
 * write, where it is another one.
 *
 * @param {Record<string, EventDescription>} before
 * @param {Record<string, EventDescription>} now
 */
export function breakingEventChanges(before, now) {
  return Object.entries(before).flatMap(([type, old]) => {
    const event = now[type];
    if (!event) return [`${type} is removed: consumers await it, and archives hold it.`];
    const problems = [];
    if (event.topic !== old.topic) {
      problems.push(`its topic changed from ${old.topic} to ${event.topic}`);
    }
    for (const consumer of old.consumers.filter((name) => !event.consumers.includes(name))) {
      problems.push(`its consumer ${consumer} is removed: events that await it stay for ever`);
    }
    if (event.schemaVersion < old.schemaVersion) {
      problems.push(
        `its schema version fell from ${old.schemaVersion} to ${event.schemaVersion}: an upcast is missing`,
      );
    }
    // A higher version comes with an upcast, and older consumers wait until they understand it.
    if (event.schemaVersion === old.schemaVersion) problems.push(...payloadProblems(old, event));
    return problems.map((problem) => `${type}: ${problem}.`);
  });
}

/**
 * @param {EventDescription} old
 * @param {EventDescription} event
 */
function payloadProblems(old, event) {
  const older = rejections(old.accepts, event.publishes ?? event.accepts, 'payload', {
    newValues: true,
  });
  const newer = rejections(event.accepts, old.publishes ?? old.accepts, 'payload', {
    newValues: false,
  });
  return [
    ...older.map((what) => `consumers of the previous release reject new events: ${what}`),
    ...newer.map((what) => `consumers of this version reject older events: ${what}`),
  ];
}

/**
 * Why `reader` may reject what `writer` may produce, both JSON Schemas. With `newValues` additional
 * values of an enum are let through: consumers treat them as not understood, and wait.
 *
 * @param {Schema | true} reader
 * @param {Schema} writer
 * @param {string} at
 * @param {Options} options
 * @returns {string[]}
 */
export function rejections(reader, writer, at, { newValues }) {
  const options = { newValues };
  if (reader === true || Object.keys(reader).every((key) => ANNOTATIONS.has(key))) return [];
  const readers = branches(reader);
  const writers = branches(writer);
  const isUnion = readers.length > 1 || writers.length > 1;
  return writers.flatMap((branch) => {
    const tries = readers.map((each) => ({
      type: each.type,
      found: rejectionsOfOne(each, branch, at, options),
    }));
    if (tries.some(({ found }) => found.length === 0)) return [];
    const alike = isUnion ? tries.filter(({ type }) => type === branch.type) : tries;
    const [only, ...others] = alike;
    return only && others.length === 0 ? only.found : [`${at} may be ${describeType(branch)}`];
  });
}

/**
 * The alternatives of a schema; one, where it has none.
 *
 * @param {Schema} schema
 * @returns {Schema[]}
 */
function branches(schema) {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.flatMap(branches);
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  return [schema];
}

/**
 * @param {Schema} reader
 * @param {Schema} writer
 * @param {string} at
 * @param {Options} options
 * @returns {string[]}
 */
function rejectionsOfOne(reader, writer, at, options) {
  const isNumber = reader.type === 'number' && writer.type === 'integer';
  if (reader.type !== undefined && reader.type !== writer.type && !isNumber) {
    return [`${at} is ${describeType(writer)} instead of ${describeType(reader)}`];
  }
  return [
    ...valueRejections(reader, writer, at, options),
    ...boundRejections(reader, writer, at),
    ...textRejections(reader, writer, at),
    ...fieldRejections(reader, writer, at, options),
    ...otherRejections(reader, writer, at),
  ];
}

/**
 * @param {Schema} reader
 * @param {Schema} writer
 * @param {string} at
 * @param {Options} options
 */
function valueRejections(reader, writer, at, { newValues }) {
  const read = allowedValues(reader);
  if (!read) return [];
  const written = allowedValues(writer);
  if (!written) return [`${at} may have any value instead of ${read.join(', ')}`];
  if (newValues) return [];
  return written
    .filter((value) => !read.includes(value))
    .map((value) => `${at} may be ${JSON.stringify(value)}`);
}

/**
 * @param {Schema} schema
 * @returns {unknown[] | undefined}
 */
function allowedValues(schema) {
  return schema.enum ?? ('const' in schema ? [schema.const] : undefined);
}

/**
 * @param {Schema} reader
 * @param {Schema} writer
 * @param {string} at
 */
function boundRejections(reader, writer, at) {
  /** @type {(key: string, isLooser: (written: number, read: number) => boolean) => string[]} */
  const looser = (key, isLooser) =>
    reader[key] !== undefined && (writer[key] === undefined || isLooser(writer[key], reader[key]))
      ? [`${at} has ${key} ${writer[key] ?? 'none'} instead of ${reader[key]}`]
      : [];
  // All values of an enum are compared instead.
  if (allowedValues(writer)) return [];
  return [
    ...LOWER_BOUNDS.flatMap((key) => looser(key, (written, read) => written < read)),
    ...UPPER_BOUNDS.flatMap((key) => looser(key, (written, read) => written > read)),
  ];
}

/**
 * @param {Schema} reader
 * @param {Schema} writer
 * @param {string} at
 */
function textRejections(reader, writer, at) {
  // A format's own pattern changes with the library that writes it.
  const key = reader.format === undefined ? 'pattern' : 'format';
  if (reader[key] === undefined || reader[key] === writer[key]) return [];
  return [`${at} has the ${key} ${writer[key] ?? 'none'} instead of ${reader[key]}`];
}

/**
 * @param {Schema} reader
 * @param {Schema} writer
 * @param {string} at
 * @param {Options} options
 * @returns {string[]}
 */
function fieldRejections(reader, writer, at, options) {
  /** @type {string[]} */
  const found = [];
  const written = writer.properties ?? {};
  for (const [name, field] of Object.entries(reader.properties ?? {})) {
    const isSure = writer.required?.includes(name) ?? false;
    if (reader.required?.includes(name) && !isSure) found.push(`${at}.${name} may be missing`);
    if (written[name] !== undefined) {
      found.push(...rejections(field, written[name], `${at}.${name}`, options));
    }
  }
  if (reader.additionalProperties === false) {
    const unknown = Object.keys(written).filter((name) => !(name in (reader.properties ?? {})));
    found.push(...unknown.map((name) => `${at}.${name} is not ignored`));
  }
  const places = {
    additionalProperties: `${at}.*`,
    propertyNames: `the names in ${at}`,
    items: `${at}[]`,
  };
  for (const [key, place] of Object.entries(places)) {
    if (!isSchema(reader[key])) continue;
    found.push(
      ...rejections(reader[key], isSchema(writer[key]) ? writer[key] : {}, place, options),
    );
  }
  return found;
}

/**
 * @param {unknown} value
 * @returns {value is Schema}
 */
function isSchema(value) {
  return typeof value === 'object' && value !== null;
}

/**
 * A keyword that this comparison does not know must be the same.
 *
 * @param {Schema} reader
 * @param {Schema} writer
 * @param {string} at
 */
function otherRejections(reader, writer, at) {
  return Object.keys(reader)
    .filter((key) => !COMPARED.has(key) && !ANNOTATIONS.has(key))
    .filter((key) => JSON.stringify(reader[key]) !== JSON.stringify(writer[key]))
    .map((key) => `${at} has another ${key}`);
}

/** @param {Schema} schema */
function describeType(schema) {
  const values = allowedValues(schema);
  if (values) return values.map((value) => JSON.stringify(value)).join(' or ');
  return schema.type ?? 'anything';
}
