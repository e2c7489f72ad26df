// npm run compose: composes router/supergraph.graphql from supergraph.yaml; --check only compares.
import { readFile, writeFile } from 'node:fs/promises';
import { composeServices } from '@apollo/composition';
import { parse as parseYaml } from 'yaml';
import { installAndBuild } from './run-built.mjs';

const OUTPUT = 'router/supergraph.graphql';

if (process.argv.includes('--help')) {
  console.log(`npm run compose [-- --check]

Composes the subgraphs that supergraph.yaml names into ${OUTPUT}.
  --check  writes nothing; fails when the committed file is not what composition makes`);
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

if (process.argv.includes('--check')) {
  const committed = await readFile(OUTPUT, 'utf8').catch(() => '');
  if (committed.trim() !== supergraphSdl.trim()) {
    fail(`${OUTPUT} is not what the subgraphs compose to: run npm run compose and commit it.`);
  }
  console.log(`${OUTPUT} is what ${services.length} subgraphs compose to.`);
} else {
  await writeFile(OUTPUT, `${supergraphSdl.trim()}\n`);
  console.log(`Composed ${services.length} subgraphs into ${OUTPUT}.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
