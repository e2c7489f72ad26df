import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { graphql, parse } from 'graphql';
import { projectFile } from '#platform/config/project.ts';
import { signToken, startIdentityProvider } from '../../tests/support/identity-provider.mjs';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@requires", "@external"])';

const products = `${LINK}
  type Query { product: Product fails: Int }
  type Mutation { rename(name: String!): Product }
  type Subscription { renamed: Product }
  type Product @key(fields: "sku") { sku: ID! weight: Int price: Int }`;
const shipping = `${LINK}
  type Product @key(fields: "sku") { sku: ID! weight: Int @external cost: Int @requires(fields: "weight") }`;

/** What a subgraph received. */
interface Received {
  url: string | undefined;
  headers: IncomingHttpHeaders;
}

const received: Received[] = [];
/** What the subgraphs respond instead of executing the request. */
let oddResponse: object | null = null;
const ends: (() => Promise<unknown>)[] = [];
let folder: string;
let supergraph: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spacerent-standalone-'));
  const product = { __typename: 'Product', sku: 'p1', weight: 3, price: 100 };
  const url = await serve(products, {
    Query: {
      product: () => product,
      fails: () => {
        throw new Error('the warehouse is on fire');
      },
    },
    Mutation: { rename: () => product },
    Product: { __resolveReference: () => product },
  });
  const shippingUrl = await serve(shipping, {
    Product: { cost: ({ weight }: { weight: number }) => weight * 10 },
  });
  supergraph = compose([
    { name: 'products', url: `${url}/products?tenant=a`, typeDefs: products },
    { name: 'shipping', url: shippingUrl, typeDefs: shipping },
  ]);
});

afterAll(async () => {
  for (const end of ends) await end();
  rmSync(folder, { recursive: true });
});

/** A subgraph that accepts any path; resolves with its address. */
async function serve(typeDefs: string, resolvers: object): Promise<string> {
  const schema = buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers: resolvers as never });
  const server = createServer(async (request, response) => {
    received.push({ url: request.url, headers: request.headers });
    let body = '';
    for await (const chunk of request) body += chunk;
    const { query, variables } = JSON.parse(body);
    const result =
      oddResponse ?? (await graphql({ schema, source: query, variableValues: variables }));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Writes a supergraph of these subgraphs; returns its path. */
function compose(subgraphs: { name: string; url: string; typeDefs: string }[]): string {
  const { supergraphSdl, errors } = composeServices(
    subgraphs.map((each) => ({ ...each, typeDefs: parse(each.typeDefs) })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  const path = join(folder, `${subgraphs.map(({ name }) => name).join('-')}.graphql`);
  writeFileSync(path, supergraphSdl);
  return path;
}

/** Runs the built command; its settings are only those given. */
function run(args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(
    process.execPath,
    [projectFile('dist/router/src/standalone/main.js'), ...args],
    { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  ends.unshift(async () => child.kill('SIGKILL'));
  return child;
}

/** Resolves with all that the command prints and its exit code. */
async function runToEnd(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ output: string; code: number | null }> {
  const child = run(args, env);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output, code };
}

/** Starts a router; resolves once it is ready. */
async function start(env: Record<string, string> = {}) {
  const child = run(['--supergraph', supergraph, '--port', '0'], env);
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  const line = await new Promise<string>((resolve) => lines.once('line', resolve));
  const url = /http:\S+\/graphql/.exec(line)?.[0] ?? '';
  return {
    child,
    url,
    async post(query: string, headers: Record<string, string> = {}) {
      received.length = 0;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query }),
      });
      // biome-ignore lint/suspicious/noExplicitAny: tests read parts of responses
      return { status: response.status, ...((await response.json()) as any) };
    },
  };
}

describe('The router before any supergraph', () => {
  let router: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    router = await start();
  });

  test('executes queries and mutations at the addresses that the supergraph names', async () => {
    const query = await router.post('{ product { weight: price cost } }');
    expect(query).toEqual({ status: 200, data: { product: { weight: 100, cost: 30 } } });
    expect(received.map(({ url }) => url)).toEqual(['/products?tenant=a', '/']);
    const mutation = await router.post('mutation { rename(name: "x") { sku } }');
    expect(mutation).toEqual({ status: 200, data: { rename: { sku: 'p1' } } });
  });

  test('passes the Authorization header on unread, and no other header of the client', async () => {
    await router.post('{ product { sku } }', { authorization: 'Basic a2ltOng=', cookie: 'a=b' });
    expect(received[0]?.headers).toMatchObject({ authorization: 'Basic a2ltOng=' });
    expect(received[0]?.headers).not.toHaveProperty('cookie');
    await router.post('{ product { sku } }');
    expect(received[0]?.headers).not.toHaveProperty('authorization');
  });

  test('shows the errors of subgraphs as they are', async () => {
    const { data, errors } = await router.post('{ fails }');
    expect(data).toEqual({ fails: null });
    expect(errors).toEqual([
      {
        message: 'the warehouse is on fire',
        path: ['fails'],
        extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', serviceName: 'products' },
      },
    ]);
  });

  test.each([['no list'], [[null]], [[{ message: 7, extensions: 'x', path: [{}] }]]])(
    'reports the odd errors %j of a subgraph in plain words',
    async (errors) => {
      oddResponse = { data: { product: { sku: 'p1' } }, errors };
      const result = await router.post('{ product { sku } }');
      oddResponse = null;
      expect(result.status).toBe(200);
      expect(result.errors[0].message).toMatch(/^(The response of|Error while fetching)/);
      expect(result.errors[0].extensions.serviceName).toBe('products');
    },
  );

  test('refuses subscriptions with a sentence, in every protocol', async () => {
    for (const accept of ['application/json', 'text/event-stream', 'multipart/mixed']) {
      const { status, errors } = await router.post('subscription { renamed { sku } }', { accept });
      expect(status).toBe(400);
      expect(errors[0].message).toBe(
        'This router executes queries and mutations only, no subscriptions.',
      );
    }
  });

  test('allows introspection unless the environment forbids it', async () => {
    const query = '{ __schema { queryType { name } } }';
    expect((await router.post(query)).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
    const strict = await start({ INTROSPECTION: 'off', MAX_OPERATION_DEPTH: '2' });
    expect(await strict.post('{ __schema { types { name } } }')).toMatchObject({
      errors: [{ extensions: { code: 'OPERATION_TOO_DEEP' } }],
    });
    expect(await strict.post('{ __schema { __typename } }')).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });

  test('refuses invalid tokens where a provider is set, and passes valid ones on', async () => {
    const provider = await startIdentityProvider();
    ends.push(() => provider.stop());
    const strict = await start(provider.settings);
    const refused = await strict.post('{ product { sku } }', { authorization: 'Bearer x.y.z' });
    expect(refused).toMatchObject({
      status: 401,
      errors: [{ message: 'The token is not valid.' }],
    });
    expect(received).toEqual([]);
    const authorization = `Bearer ${await signToken(provider.credentials, 'kim', ['customer'], '1h')}`;
    const accepted = await strict.post('{ product { sku } }', { authorization });
    expect(accepted.data).toEqual({ product: { sku: 'p1' } });
    expect(received[0]?.headers.authorization).toBe(authorization);
  });

  test('stops with exit code 0 on SIGTERM', async () => {
    const { child } = router;
    const code = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });
});

describe('A start of the router that cannot succeed ends with a sentence', () => {
  const typeDefs = 'type Query { a: Int }';

  test('without a supergraph', async () => {
    const { output, code } = await runToEnd([]);
    expect(output).toBe('Name the supergraph: --supergraph FILE.\n');
    expect(code).toBe(2);
  });

  test('where the file does not exist, or is no supergraph', async () => {
    const missing = await runToEnd(['--supergraph', join(folder, 'none.graphql')]);
    expect(missing.output).toMatch(/^The supergraph .*none\.graphql does not exist\.\n$/);
    expect(missing.code).toBe(2);
    const path = join(folder, 'schema.graphql');
    writeFileSync(path, typeDefs);
    const wrong = await runToEnd(['--supergraph', path]);
    expect(wrong.output).toMatch(/schema\.graphql is not a supergraph, as the composition/);
    expect(wrong.output).not.toMatch(/\n {4}at /);
    expect(wrong.code).toBe(2);
  });

  test.each([
    ['', 'has no URL'],
    ['a.example/graphql', 'must be an http:// or https:// address'],
    ['http://kim:secret@127.0.0.1:1/', 'has a user or password in its URL'],
  ])('where a subgraph has the URL "%s"', async (url, problem) => {
    const { output, code } = await runToEnd([
      '--supergraph',
      compose([{ name: 'wrong', url, typeDefs }]),
    ]);
    expect(output).toContain(
      `The subgraph "wrong" ${problem.startsWith('has') ? '' : 'has the URL'}`,
    );
    expect(output).toContain(problem);
    expect(code).toBe(2);
  });

  test('where the port or a setting is invalid', async () => {
    const port = await runToEnd(['--supergraph', supergraph, '--port', 'x']);
    expect(port.output).toBe('--port must be a whole number from 0 to 65535, not "x".\n');
    const setting = await runToEnd(['--supergraph', supergraph], { MAX_ROOT_FIELDS: '0' });
    expect(setting.output).toContain('MAX_ROOT_FIELDS is wrong: must be at least 1.');
    expect([port.code, setting.code]).toEqual([2, 2]);
  });

  test('where the manifest of operations does not exist', async () => {
    const { output, code } = await runToEnd(['--supergraph', supergraph, '--port', '0'], {
      OPERATIONS_MANIFEST: join(folder, 'none.json'),
    });
    expect(output).toMatch(/^The manifest of operations .*none\.json cannot be read/);
    expect(code).toBe(2);
  });

  test('where another program listens at the port', async () => {
    const { url } = await start();
    const port = new URL(url).port;
    const { output, code } = await runToEnd(['--supergraph', supergraph, '--port', port]);
    expect(output).toContain(`port ${port}: another program listens there.`);
    expect(code).toBe(1);
  });
});
