// The schema that clients see, and what a change of it breaks.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Supergraph } from '@apollo/federation-internals';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema, lexicographicSortSchema, printSchema } from 'graphql';

/**
 * The client schema of a supergraph (SDL), sorted: the same text for the same schema.
 *
 * @param {string} supergraphSdl
 */
export function toClientSchema(supergraphSdl) {
  const api = Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema();
  return `${printSchema(lexicographicSortSchema(api))}\n`;
}

/**
 * The client schema of this version.
 *
 * @param {string} root
 */
export async function printClientSchema(root) {
  return toClientSchema(await readFile(join(root, 'router/supergraph.graphql'), 'utf8'));
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
