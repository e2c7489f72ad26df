// The benchmark's subgraphs, in a process of their own: what they need is not the router's time.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse } from 'graphql';
import { type Fixture, fixtures } from './fixtures.ts';

const urls = await Promise.all(fixtures.map(async (each) => [each.name, await serve(each)]));
process.send?.(Object.fromEntries(urls));
process.once('disconnect', () => process.exit());

async function serve({ typeDefs, resolvers }: Fixture): Promise<string> {
  const schema = buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers });
  // Repeated requests are served from memory.
  const responses = new Map<string, string>();
  const server = createServer(async (request, response) => {
    const body = await readText(request);
    let json = responses.get(body);
    if (json === undefined) {
      const { query, variables } = JSON.parse(body);
      const result = await execute({ schema, document: parse(query), variableValues: variables });
      json = JSON.stringify(result);
      responses.set(body, json);
    }
    response.setHeader('content-type', 'application/json').end(json);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
