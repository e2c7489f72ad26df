// npm run compose: composes the supergraph and the schema that clients see; --check only compares.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, parseOptions, root, runCommand } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

const SUPERGRAPH = 'router/supergraph.graphql';
const CLIENT_SCHEMA = 'api.graphql';

const help = `Usage: npm run compose [-- --check]

Composes the subgraphs that supergraph.yaml names into ${SUPERGRAPH}, and writes the part of it
that clients see to ${CLIENT_SCHEMA}.

  --check  writes nothing; fails when a committed file is not the result of the composition`;

await runCommand(help, async (args) => {
  const { values } = parseOptions(help, { args, options: { check: { type: 'boolean' } } });
  await installAndBuild();
  const { supergraph, count } = await compose();
  const { toClientSchema } = await import('./contracts/client-schema.mjs');
  const outputs = {
    [SUPERGRAPH]: `${supergraph}\n`,
    [CLIENT_SCHEMA]: toClientSchema(supergraph),
  };
  for (const [name, text] of Object.entries(outputs)) {
    const file = join(root, name);
    if (!values.check) await writeFile(file, text);
    else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
      throw new CommandError(
        `${name} is not what the subgraphs compose to: run npm run compose and commit it.`,
      );
    }
  }
  console.log(`${count} subgraphs compose to ${Object.keys(outputs).join(' and ')}.`);
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
