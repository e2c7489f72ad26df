// The schema that clients see, and what a change of it breaks.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Supergraph } from '@apollo/federation-internals';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema, lexicographicSortSchema, printSchema } from 'graphql';

/**
 * The client-facing schema of the composed supergraph, the same text for the same schema.
 *
 * @param {string} root
 */
export async function printClientSchema(root) {
  const supergraph = await readFile(join(root, 'router/supergraph.graphql'), 'utf8');
  const api = Supergraph.build(supergraph).apiSchema().toGraphQLJSSchema();
  return `${printSchema(lexicographicSortSchema(api))}\n`;
}

/**
 * Sentences on what the schema `now` breaks for clients of `before`, both as text.
 *
 * @param {string} before
 * @param {string} now
 */
export async function breakingSchemaChanges(before, now) {
  const changes = await diff(buildSchema(before), buildSchema(now));
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ message }) => `${message}.`);
}
