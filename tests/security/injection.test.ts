import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { contextNames } from '#contracts/topology.ts';
import {
  CANCEL_BOOKING,
  LIST_SPACE,
  newCustomer,
  nextSlot,
  REQUEST_BOOKING,
} from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';
import { internalKey, subgraphUrl } from './internal-requests.ts';
import { openSocket, sendRaw } from './protocols.ts';

const SERVICES = ['router', ...contextNames];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FORGED = 'forged by a client';
/** Would forge a log line, or colour the terminal of an operator, if it were written unescaped. */
const LINE = `\n{"level":"error","msg":"${FORGED}"}\n\u001b[31m`;

describeSystems('input from clients', (system) => {
  test.each([
    ['a line break', 'a\nx-injected: yes'],
    ['a carriage return', 'a\rx-injected: yes'],
    ['line ends and a body', 'a\r\n\r\n<script>alert(1)</script>'],
    ['an ANSI code', 'a\u001b[31m'],
    ['quotes', '"},{"a":"b'],
    ['65 characters', 'a'.repeat(65)],
    ['a letter beyond ASCII', 'é'],
  ])('a correlation id with %s is not reflected', async (_name, id) => {
    const received = await sendRaw(system.address, (send) =>
      send(
        `GET /graphql?query=x HTTP/1.1\r\nHost: a\r\nX-Correlation-Id: ${id}\r\nConnection: close\r\n\r\n`,
      ),
    );
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).not.toMatch(/x-injected|<script|(?![\r\n])\p{Cc}|"a":"|a{65}|é/iu);
    for (const [, id] of received.matchAll(/x-correlation-id: (.*)\r\n/gi)) {
      expect(id).toMatch(UUID);
    }
  });

  test('paths, origins and names are reflected in no header, and in bodies only as JSON', async () => {
    const evil = '%0d%0ax-injected:%20yes';
    const received = await sendRaw(system.address, (send) =>
      send(
        `GET /${evil}?${evil} HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://a${evil}\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n`,
      ),
    );
    expect(received).toMatch(/^HTTP\/1\.1 404 /);
    expect(received).not.toMatch(/x-injected|evil\.example/i);
    const operationName = `<img src=x onerror=alert(1)>${LINE}`;
    const response = await fetch(system.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/html, application/json' },
      body: JSON.stringify({
        query: 'query A { __typename } query B { __typename }',
        operationName,
      }),
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(JSON.parse(await response.text()).errors[0].message).toContain('<img');
  });

  test('a user name with a line break or a control character is refused', async () => {
    for (const user of [`kim${LINE}`, 'kim\u001b[31m', 'kim\0', 'kim\ud800', ' kim']) {
      const { status } = await system.graphql(await system.token(user), '{ __typename }');
      expect(status).toBe(401);
    }
  });
});

describeSystems('the logs', (system) => {
  test('the logs hold one well-formed line per entry and no credential, whatever clients send', async () => {
    const method = `pm_card_${randomBytes(12).toString('hex')}`;
    const key = `key-${randomBytes(12).toString('hex')}`;
    const secrets = [
      method,
      ...(await sendForgedInput(system, method, key)),
      ...readSecrets(system),
    ];
    // When the last request is logged, all earlier ones are.
    const id = `log-${randomUUID()}`;
    await system.graphql(null, '{ spaces { edges { cursor } } }', {}, { 'x-correlation-id': id });
    await until('the router has logged', async () => system.logOf('router').includes(id));

    for (const service of SERVICES) {
      for (const line of system.logOf(service).split('\n').slice(0, -1)) {
        const entry = parseJson(line);
        expect([service, line, entry?.service]).toEqual([service, line, service]);
        expect([line, entry?.msg === FORGED]).toEqual([line, false]);
      }
    }
    const folder = join(system.home, 'logs');
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8');
      for (const secret of secrets)
        expect([file, secret, text.includes(secret)]).toEqual([file, secret, false]);
      // The logs must hold no token of any test, and none of the services.
      expect([file, /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/.exec(text)?.[0]]).toEqual([
        file,
        undefined,
      ]);
      expect([file, text.includes('\u001b[31m')]).toEqual([file, false]);
    }
  });
});

/** Sends forged log lines, and credentials in wrong places, in every input; returns the credentials. */
async function sendForgedInput(
  system: System,
  paymentMethod: string,
  key: string,
): Promise<string[]> {
  const user = `{"level":"error","msg":"${FORGED}"} ${randomUUID()}`;
  const token = await system.token(user, 'customer', 'host');
  const expired = await system.tokenFor('-1h', user, 'customer');
  const wrong = `${token.slice(0, -6)}AAAAAA`;
  const space = { name: `Space${LINE}`, description: LINE, capacity: 5, hourlyRate: 10_000 };
  await system.graphql(token, LIST_SPACE, { input: space });
  const named = {
    ...space,
    name: 'Space\n{"level":"error"}',
    description: `\n{"msg":"${FORGED}"}\n`,
  };
  const { data } = await system.graphql(token, LIST_SPACE, { input: named });
  const spaceId = data.listSpace.space?.id;
  const input = { idempotencyKey: key, spaceId, slot: nextSlot(), paymentMethod };
  const response = await system.graphql(token, REQUEST_BOOKING, { input });
  expect(response.data.requestBooking.__typename).toBe('PaymentDeclined');
  await system.graphql(token, CANCEL_BOOKING, { id: paymentMethod });
  await system.graphql(token, REQUEST_BOOKING, { input: { ...input, slot: paymentMethod } });
  await system.graphql(expired, '{ __typename }');
  await system.graphql(wrong, '{ __typename }', {}, { 'x-correlation-id': `${wrong}x` });
  await system.graphql(null, `{ a: ${paymentMethod} }`);
  await fetch(`${system.graphqlUrl}?query={${paymentMethod}}&access_token=${token}&token=${wrong}`);
  await fetch(`${system.address}/${token}`, { headers: { cookie: `token=${token}` } });
  // Sends the token of a customer directly to a subgraph, past the router.
  const url = `${subgraphUrl(system, 'book')}/graphql`;
  for (const address of [url, `${url}?access_token=${token}`]) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    await fetch(address, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: `{ ${key} }` }),
    });
  }
  const socket = await openSocket(system, { authorization: `Bearer ${token}` });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.send(`{"type":"${token}"${LINE}`);
  await closed;
  const kim = await newCustomer(system);
  return [token, expired, wrong, kim.token, key];
}

function readSecrets(system: System): string[] {
  const secretFiles = system.profile === 'embedded' ? ['auth-secret', 'postgres-password'] : [];
  const { databases } = system.instance();
  const passwords = Object.values(databases).flatMap((url) =>
    URL.canParse(url) ? decodeURIComponent(new URL(url).password) : [],
  );
  return [
    internalKey(system),
    ...secretFiles.map((file) => readFileSync(join(system.home, file), 'utf8').trim()),
    ...passwords,
  ].filter((secret) => secret.length >= 8);
}

function parseJson(line: string): { service?: string; msg?: string } | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
