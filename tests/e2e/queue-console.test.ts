import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findConsumers, topology } from '#contracts/topology.ts';
import { queueName } from '#platform/messaging/events.ts';
import { freePort } from '../support/servers.mjs';
import { describeSystems, type System, until } from '../support/system.ts';

/** The console of `npm run ops -- queues`, and what it has printed. */
interface Console {
  address: string;
  child: ChildProcess;
  output: string;
}

/** In the servers profile the environment names the provider of the tokens, as it does for the router. */
function providerOf({ profile, home }: System): Record<string, string> {
  if (profile === 'embedded') return {};
  const { issuer, audience } = JSON.parse(
    readFileSync(join(home, 'identity-provider.json'), 'utf8'),
  );
  return { AUTH_JWKS_URL: `${issuer}/jwks`, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience };
}

async function startConsole(system: System): Promise<Console> {
  const port = await freePort();
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, ['scripts/ops.mjs', 'queues', '--port', String(port)], {
    env: { ...inherited, SPACERENT_HOME: system.home, ...providerOf(system) },
  });
  const started: Console = { address: `http://127.0.0.1:${port}`, child, output: '' };
  const keep = (chunk: Buffer) => {
    started.output += chunk;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  await until('the console listens', () => started.output.includes('Ctrl-C stops'), 60);
  return started;
}

const queueNames = Object.values(topology).flatMap(({ publishes }) =>
  Object.entries(publishes).flatMap(([type, { topic }]) =>
    findConsumers(type).map((consumer) => queueName(topic, consumer)),
  ),
);

describeSystems('the queue console of a running system', (system) => {
  let console: Console;

  beforeAll(async () => {
    console = await startConsole(system);
  }, 90_000);

  afterAll(() => {
    console?.child.kill('SIGKILL');
  });

  const statusFor = async (token?: string) => {
    const headers = new Headers(token ? { authorization: `Bearer ${token}` } : undefined);
    return (await fetch(`${console.address}/api/queues`, { headers })).status;
  };

  test('the console shows every queue of the topology to operators, and nothing to others', async () => {
    expect(await statusFor()).toBe(401);
    expect(await statusFor(await system.token('kim', 'customer'))).toBe(403);
    expect(await statusFor(await system.token('hana', 'host'))).toBe(403);
    const token = await system.token('olivia', 'operator');
    const response = await fetch(`${console.address}/api/queues`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    const { queues } = JSON.parse(await response.text());
    const shown = queues.map(({ name }: { name: string }) => name);
    expect(shown.sort()).toEqual([...new Set(queueNames)].sort());
  });

  test('the command prints a token where this machine signs them, and listens on this machine alone', async () => {
    const [token] = /^eyJ\S+$/m.exec(console.output) ?? [];
    expect(Boolean(token)).toBe(system.profile === 'embedded');
    if (token) expect(await statusFor(token)).toBe(200);
    expect(console.output).toContain(`The queue console listens at ${console.address}`);
  });

  test('a second console on the same port says that the port is in use', async () => {
    const { port } = new URL(console.address);
    const child = spawn(process.execPath, ['scripts/ops.mjs', 'queues', '--port', port], {
      env: { ...process.env, NODE_OPTIONS: '', SPACERENT_HOME: system.home },
    });
    let output = '';
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, output]).toEqual([
      1,
      `Port ${port} cannot be used: another program listens there. Name another with --port.\n`,
    ]);
  });

  test('the console ends with exit code 0 on Ctrl-C', async () => {
    const ended = new Promise((resolve) => console.child.once('exit', resolve));
    console.child.kill('SIGINT');
    expect(await ended).toBe(0);
  });
});
