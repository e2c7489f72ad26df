// npm run compose: composes router/supergraph.graphql from supergraph.yaml; --check only compares.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, parseOptions, root, runCommand } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

const OUTPUT = 'router/supergraph.graphql';

const help = `Usage: npm run compose [-- --check]

Composes the subgraphs that supergraph.yaml names into ${OUTPUT}.

  --check  writes nothing; fails when the committed file is not the result of the composition`;

await runCommand(help, async (args) => {
  const { values } = parseOptions(help, { args, options: { check: { type: 'boolean' } } });
  await installAndBuild();
  const { supergraph, count } = await compose();
  const file = join(root, OUTPUT);
  if (!values.check) {
    await writeFile(file, `${supergraph}\n`);
    return console.log(`Composed ${count} subgraphs into ${OUTPUT}.`);
  }
  const committed = await readFile(file, 'utf8').catch(() => '');
  if (committed.trim() !== supergraph) {
    throw new CommandError(
      `${OUTPUT} is not what the subgraphs compose to: run npm run compose and commit it.`,
    );
  }
  console.log(`${OUTPUT} is what ${count} subgraphs compose to.`);
});

/** The supergraph's schema and the number of its subgraphs; throws what keeps them from composing. */
async function compose() {
  // Packages of the lock file: they may have been installed a moment ago.
  const { composeServices } = await import('@apollo/composition');
  const { parse } = await import('yaml');
  const { readSubgraphSchema } = await import('#platform/graphql/subgraph-schema.ts');
  /** @type {{ subgraphs: Record<string, { routing_url: string, schema: { file: string } }> }} */
  const { subgraphs } = parse(await readFile(join(root, 'supergraph.yaml'), 'utf8'));
  const services = await Promise.all(
    Object.entries(subgraphs).map(async ([name, { routing_url, schema }]) => ({
      name,
      url: routing_url,
      typeDefs: await readSubgraphSchema(schema.file),
    })),
  );
  const { errors, supergraphSdl } = composeServices(services);
  if (errors) {
    const list = errors.map(({ message }) => `  ${message}`).join('\n');
    throw new CommandError(`The subgraphs do not compose:\n${list}`);
  }
  return { supergraph: supergraphSdl.trim(), count: services.length };
}
