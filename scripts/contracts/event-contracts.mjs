// The event contracts as data: the build of the topology, described as JSON Schema.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

/** Every event by its type, sorted: topic, consumers, schema version, and payloads as JSON Schema. */
export async function describeEvents(root) {
  const file = join(root, 'dist/contracts/topology.js');
  const { topology, consumersOf } = await import(pathToFileURL(file).href);
  const events = {};
  for (const [type, contract] of Object.values(topology).flatMap(toEntries)) {
    if (events[type]) throw new Error(`Two contexts publish an event named ${type}.`);
    events[type] = describeContract({ ...contract, consumers: consumersOf(type) });
  }
  return Object.fromEntries(Object.entries(events).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const toEntries = ({ publishes }) => Object.entries(publishes);

/**
 * One contract as data; without upcasts its schema version is 1.
 * @param {{ topic: string, consumers: string[], payload: import('zod').ZodType, upcasts?: unknown[] }} contract
 */
export function describeContract({ topic, consumers, payload, upcasts = [] }) {
  const options = { unrepresentable: 'any', target: 'draft-2020-12' };
  const accepts = z.toJSONSchema(payload, { ...options, io: 'input' });
  const publishes = open(z.toJSONSchema(payload, { ...options, io: 'output' }));
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

/** Without "no other fields", which zod says of everything that is written. */
function open(schema) {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    if (value?.additionalProperties === false) delete value.additionalProperties;
    return value;
  });
}
