// The event contracts as data: the topology, described as JSON Schema.
import { z } from 'zod';

/**
 * @typedef {import('./event-changes.mjs').EventDescription} EventDescription
 * @typedef {import('./event-changes.mjs').Schema} Schema
 */

/**
 * Every event by its type, sorted: topic, consumers, schema version, and payloads as JSON Schema. Needs the build.
 *
 * @returns {Promise<Record<string, EventDescription>>}
 */
export async function describeEvents() {
  const { topology, findConsumers } = await import('#contracts/topology.ts');
  /** @type {Record<string, EventDescription>} */
  const events = {};
  for (const { publishes } of Object.values(topology)) {
    for (const [type, contract] of Object.entries(publishes)) {
      if (events[type]) throw new Error(`Two contexts publish an event named ${type}.`);
      events[type] = describeContract({ ...contract, consumers: findConsumers(type) });
    }
  }
  return Object.fromEntries(Object.entries(events).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * One contract as data; without upcasts its schema version is 1.
 * @param {{ topic: string, consumers: string[], payload: import('zod').ZodType, upcasts?: unknown[] }} contract
 * @returns {EventDescription}
 */
export function describeContract({ topic, consumers, payload, upcasts = [] }) {
  const options = /** @type {const} */ ({ unrepresentable: 'any', target: 'draft-2020-12' });
  const accepts = /** @type {Schema} */ (z.toJSONSchema(payload, { ...options, io: 'input' }));
  const publishes = withoutClosedObjects(
    z.toJSONSchema(payload, { ...options, io: 'output', override: asEncoded }),
  );
  const isSame = JSON.stringify(accepts) === JSON.stringify(publishes);
  return {
    topic,
    consumers: [...consumers].sort(),
    // As platform/messaging/events.ts counts it: one more than there are upcasts.
    schemaVersion: 1 + upcasts.length,
    accepts,
    ...(isSame ? {} : { publishes }),
  };
}

/**
 * Describes what a codec publishes, which is its encoded side: its output never leaves a process.
 *
 * @param {{ zodSchema: unknown, jsonSchema: Record<string, unknown> }} context
 */
function asEncoded({ zodSchema, jsonSchema }) {
  if (!(zodSchema instanceof z.ZodCodec)) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  const { $schema, ...encoded } = z.toJSONSchema(zodSchema.def.in, { io: 'input' });
  Object.assign(jsonSchema, encoded);
}

/**
 * Without "no other fields", which zod says of everything that is written.
 *
 * @param {object} schema
 * @returns {Schema}
 */
function withoutClosedObjects(schema) {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    if (value?.additionalProperties === false) delete value.additionalProperties;
    return value;
  });
}
