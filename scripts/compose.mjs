// npm run compose: composes the supergraph and the schema that clients see; --check only compares.
import { readFile, writeFile } from 'node:fs/promises';
import { composeServices } from '@apollo/composition';
import { parse as parseYaml } from 'yaml';
import { toClientSchema } from './contracts/client-schema.mjs';
import { installAndBuild } from './run-built.mjs';

const SUPERGRAPH = 'router/supergraph.graphql';
const CLIENT_SCHEMA = 'api.graphql';

if (process.argv.includes('--help')) {
  console.log(`npm run compose [-- --check]

Composes the subgraphs that supergraph.yaml names into ${SUPERGRAPH}, and writes the part of it
that clients see to ${CLIENT_SCHEMA}.
  --check  writes nothing; fails when a committed file is not what composition makes`);
  process.exit(0);
}

await installAndBuild();
const { readSubgraphSchema } = await import('../dist/platform/graphql/subgraph-schema.js');
const { subgraphs } = parseYaml(await readFile('supergraph.yaml', 'utf8'));
const services = await Promise.all(
  Object.entries(subgraphs).map(async ([name, { routing_url, schema }]) => ({
    name,
    url: routing_url,
    typeDefs: await readSubgraphSchema(schema.file),
  })),
);

const { errors, supergraphSdl } = composeServices(services);
if (errors)
  fail(`The subgraphs do not compose:\n${errors.map((e) => `  ${e.message}`).join('\n')}`);

const outputs = {
  [SUPERGRAPH]: `${supergraphSdl.trim()}\n`,
  [CLIENT_SCHEMA]: toClientSchema(supergraphSdl),
};
for (const [file, text] of Object.entries(outputs)) {
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    fail(`${file} is not what the subgraphs compose to: run npm run compose and commit it.`);
  }
}
console.log(`${services.length} subgraphs compose to ${Object.keys(outputs).join(' and ')}.`);

function fail(message) {
  console.error(message);
  process.exit(1);
}
