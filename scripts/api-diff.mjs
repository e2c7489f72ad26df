// Fails when the composed API breaks the contract in a file: node scripts/api-diff.mjs <contract>
import { readFile } from 'node:fs/promises';
import { Supergraph } from '@apollo/federation-internals';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildASTSchema, parse } from 'graphql';

const [contractFile] = process.argv.slice(2);
const contract = parse(await readFile(contractFile, 'utf8'));
const supergraph = Supergraph.build(await readFile('router/supergraph.graphql', 'utf8'));
const api = supergraph.apiSchema().toGraphQLJSSchema();

const changes = await diff(buildASTSchema(contract), api);
const breaking = changes.filter(
  ({ criticality }) => criticality.level === CriticalityLevel.Breaking,
);
for (const { message } of breaking) console.error(`  ${message}`);
if (breaking.length > 0) {
  console.error(`The API breaks the contract ${contractFile} in ${breaking.length} places.`);
  process.exit(1);
}
