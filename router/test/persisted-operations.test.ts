import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openEdge, type RunningEdge } from './public-server-fixture.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(env: Record<string, string> = {}): Promise<RunningEdge> {
  const edge = await openEdge(env);
  closing.push(() => edge.close());
  return edge;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const persisted = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } });

const SPACES = 'query Spaces { spaces { edges { cursor } } }';
const ANSWER = { data: { spaces: { edges: [] } } };
const SSE = { accept: 'text/event-stream' };

function client(port: number, link: ApolloLink, fetchedWith: RequestInit[] = []) {
  const http = new HttpLink({
    uri: `http://127.0.0.1:${port}/graphql`,
    fetch: (uri, init) => {
      fetchedWith.push(init ?? {});
      return fetch(uri, init);
    },
  });
  const apollo = new ApolloClient({
    link: ApolloLink.from([link, http]),
    cache: new InMemoryCache(),
  });
  closing.push(() => apollo.stop());
  return apollo;
}

describe('an automatic persisted query', () => {
  test('is not known before its text was sent, then is, in every protocol', async () => {
    const edge = await open();
    const extensions = persisted(sha256(SPACES));
    const unknown = { errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }] };
    expect(await edge.post({ extensions })).toMatchObject({ status: 200, json: unknown });
    expect((await edge.post({ query: SPACES, extensions })).json).toEqual(ANSWER);
    expect((await edge.post({ extensions })).json).toEqual(ANSWER);
    expect((await edge.get({ extensions: JSON.stringify(extensions) })).json).toEqual(ANSWER);
    expect((await edge.post({ extensions }, SSE)).text).toContain(JSON.stringify(ANSWER));
    const live = createClient({
      url: `ws://127.0.0.1:${edge.port}/graphql`,
      webSocketImpl: WebSocket,
    });
    const answer = await new Promise((resolve, reject) =>
      live.subscribe(
        { query: '', extensions },
        { next: resolve, error: reject, complete: () => {} },
      ),
    );
    expect(answer).toEqual(ANSWER);
    await live.dispose();
  });

  test('may be made known by a stream or by GET as well', async () => {
    const edge = await open();
    const [one, other] = [SPACES, SPACES.replace('Spaces', 'Others')];
    await edge.post({ query: one, extensions: persisted(sha256(one)) }, SSE);
    await edge.get({ query: other, extensions: JSON.stringify(persisted(sha256(other))) });
    for (const text of [one, other]) {
      expect((await edge.post({ extensions: persisted(sha256(text)) })).json).toEqual(ANSWER);
    }
  });

  test.each([
    ['another text’s hash', persisted(sha256('{ __typename }')), 'BAD_REQUEST'],
    ['no hash at all', persisted('x'), 'BAD_REQUEST'],
    ['another version', { persistedQuery: { version: 2, sha256Hash: 'x' } }, 'BAD_USER_INPUT'],
    ['a hash that is no text', { persistedQuery: { version: 1, sha256Hash: 1 } }, 'BAD_USER_INPUT'],
    ['nothing', { persistedQuery: {} }, 'BAD_USER_INPUT'],
  ])('with %s is refused', async (_what, extensions, code) => {
    const edge = await open();
    const { status, json } = await edge.post({ query: SPACES, extensions });
    expect([status, json.errors[0].extensions.code]).toEqual([400, code]);
    expect(edge.asked).toEqual([]);
  });

  test('that is not valid, or beyond the limits, is not remembered', async () => {
    const edge = await open();
    for (const query of ['{ nothing }', `{ ${'spaces { __typename } '.repeat(11)} }`]) {
      const extensions = persisted(sha256(query));
      expect((await edge.post({ query, extensions })).status).toBe(400);
      const again = await edge.post({ extensions });
      expect(again.json.errors[0].extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
    }
  });

  test('that is a mutation is none for GET, and one that is costly with its variables none at all', async () => {
    const edge = await open();
    const mutation = 'mutation { rebuildMyPage { __typename } }';
    const extensions = persisted(sha256(mutation));
    expect((await edge.post({ query: mutation, extensions })).status).toBe(200);
    expect((await edge.get({ extensions: JSON.stringify(extensions) })).status).toBe(405);
    const query = 'query ($first: Int) { spaces(first: $first) { edges { cursor } } }';
    const page = persisted(sha256(query));
    expect((await edge.post({ query, extensions: page })).status).toBe(200);
    const large = await edge.post({ extensions: page, variables: { first: 100_000 } });
    expect(large.json.errors[0].extensions.code).toBe('OPERATION_TOO_COSTLY');
  });

  test('works with Apollo Client, by POST and by GET', async () => {
    const edge = await open();
    const query = gql('query Named { spaces { edges { cursor } } }');
    for (const useGETForHashedQueries of [false, true]) {
      const fetched: RequestInit[] = [];
      const link = new PersistedQueryLink({ sha256, useGETForHashedQueries });
      const apollo = client(edge.port, link, fetched);
      for (let n = 0; n < 2; n += 1) {
        const { data } = await apollo.query({ query, fetchPolicy: 'no-cache' });
        expect(data).toMatchObject({ spaces: { edges: [] } });
      }
      const bodies = fetched.map(({ body }) => String(body ?? '').includes('query Named'));
      expect(bodies).toEqual(useGETForHashedQueries ? [false, false] : [false, true, false]);
    }
  });
});

describe('with a manifest', () => {
  /** What the generator makes of these sources, in a folder of its own. */
  function generate(sources: string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'spacerent-manifest-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'src'));
    for (const [index, source] of sources.entries()) {
      writeFileSync(join(folder, 'src', `${index}.graphql`), source);
    }
    const cli = resolve('node_modules/@apollo/generate-persisted-query-manifest/cli.js');
    const { status, stderr } = spawnSync(process.execPath, [cli], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect([status, stderr]).toEqual([0, '']);
    const path = join(folder, 'persisted-query-manifest.json');
    return { path, manifest: JSON.parse(readFileSync(path, 'utf8')) };
  }

  const SOURCES = [
    'query Spaces { spaces { ...Cursors } }',
    'fragment Cursors on SpaceConnection { edges { cursor } }',
    'mutation Rebuild { rebuildMyPage { ... on Problem { message } } }',
    'subscription Mine { myBookingStatuses { version } }',
  ];

  test('of Apollo’s generator only its operations are executed, by id or by text', async () => {
    const { path, manifest } = generate(SOURCES);
    const edge = await open({ OPERATIONS_MANIFEST: path });
    const spaces = manifest.operations.find(({ name }: { name: string }) => name === 'Spaces');
    const extensions = persisted(spaces.id);
    expect((await edge.post({ extensions })).json).toMatchObject(ANSWER);
    expect((await edge.get({ extensions: JSON.stringify(extensions) })).json).toMatchObject(ANSWER);
    expect((await edge.post({ query: spaces.body })).json).toMatchObject(ANSWER);
    expect((await edge.post({ extensions }, SSE)).text).toContain('"edges":[]');
    edge.asked.length = 0;
    for (const body of [
      { query: SPACES },
      { query: '{ __typename }' },
      { query: `${spaces.body} ` },
      { query: SPACES, extensions: persisted(sha256(SPACES)) },
      { extensions: persisted(sha256(SPACES)) },
    ]) {
      for (const headers of [{}, SSE]) {
        const { status, json } = await edge.post(body, headers);
        expect([status, json.errors[0].extensions.code]).toEqual([400, 'OPERATION_NOT_REGISTERED']);
      }
    }
    expect(edge.asked).toEqual([]);
  });

  test('Apollo Client sends the ids that the manifest gives', async () => {
    const { path, manifest } = generate(SOURCES);
    const edge = await open({ OPERATIONS_MANIFEST: path });
    const fetched: RequestInit[] = [];
    const link = new PersistedQueryLink(
      generatePersistedQueryIdsFromManifest({ loadManifest: async () => manifest }),
    );
    const apollo = client(edge.port, link, fetched);
    const query = gql(
      `query Spaces { spaces { ...Cursors } } fragment Cursors on SpaceConnection { edges { cursor } }`,
    );
    const { data } = await apollo.query({ query });
    expect(data).toMatchObject({ spaces: { edges: [] } });
    expect(fetched.map(({ body }) => JSON.parse(String(body)).query)).toEqual([undefined]);
  });

  test('ids may be any text', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spacerent-manifest-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'manifest.json');
    const operations = [{ id: 'spaces:1', name: 'Spaces', type: 'query', body: SPACES }];
    writeFileSync(
      path,
      JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }),
    );
    const edge = await open({ OPERATIONS_MANIFEST: path });
    for (let n = 0; n < 2; n += 1)
      expect((await edge.post({ extensions: persisted('spaces:1') })).json).toEqual(ANSWER);
  });

  test.each([
    ['nothing', '', /is not JSON/],
    [
      'another format',
      '{"format":"x","version":2,"operations":{}}',
      /format: must be "apollo-persisted-query-manifest"\.\n.*version: must be 1\.\n.*operations: /,
    ],
    [
      'operations that cannot be executed',
      JSON.stringify({
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [
          { id: 'a', name: 'A', type: 'query', body: 'query A { nothing }' },
          {
            id: 'b',
            name: 'B',
            type: 'query',
            body: 'mutation B { rebuildMyPage { __typename } }',
          },
          {
            id: 'c',
            name: 'C',
            type: 'query',
            body: 'query C { __typename } query D { __typename }',
          },
          {
            id: 'c',
            name: 'E',
            type: 'query',
            body: `query E { ${'spaces { __typename } '.repeat(11)} }`,
          },
          {
            id: 'f',
            name: 'F',
            type: 'query',
            body: 'query F { spaces(first: 99999) { edges { cursor } } }',
          },
          { id: 'g', name: 'G', type: 'query', body: 'query G {' },
        ],
      }),
      /"A" \(a\): Cannot query field "nothing".*"B" \(b\): its body is no query.*"C" \(c\): its body is not one.*"E" \(c\): its id is there twice.*"E" \(c\): .* 11 root fields.*"F" \(f\): it costs at least 100000.*"G" \(g\): Syntax Error/s,
    ],
  ])('of %s the router does not start, and says why', async (_what, text, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'spacerent-manifest-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'manifest.json');
    writeFileSync(path, text);
    await expect(openEdge({ OPERATIONS_MANIFEST: path })).rejects.toThrow(message);
  });

  test('that is not there the router does not start', async () => {
    await expect(openEdge({ OPERATIONS_MANIFEST: '/nowhere.json' })).rejects.toThrow(
      /\/nowhere.json cannot be read/,
    );
  });
});
