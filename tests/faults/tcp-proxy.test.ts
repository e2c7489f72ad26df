import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { TcpProxy } from './tcp-proxy.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** Starts a server that responds to each request with its name. */
async function startServer(name: string): Promise<{ host: string; port: number }> {
  const listening: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(name));
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  open.push(listening);
  return { host: '127.0.0.1', port: (listening.address() as { port: number }).port };
}

async function requestName(proxy: TcpProxy): Promise<string> {
  const { hostname, port } = new URL(proxy.through('http://proxy'));
  const socket = connect(Number(port), hostname);
  try {
    socket.write('who?');
    const [response] = await once(socket, 'data');
    return String(response);
  } finally {
    socket.destroy();
  }
}

test('connections are assigned to the targets in turn, and a target that is down is skipped', async () => {
  const [first, second] = [await startServer('first'), await startServer('second')];
  const down = await startServer('down');
  await new Promise((resolve) => (open.pop() as Server).close(resolve));
  const proxy = await TcpProxy.open(first, down, second);
  open.push(proxy);

  const names = new Set<string>();
  for (let turn = 0; turn < 6; turn += 1) names.add(await requestName(proxy));
  expect(names).toEqual(new Set(['first', 'second']));
});

test('a half-open connection is reset when the proxy heals', async () => {
  const target = await startServer('target');
  const proxy = await TcpProxy.open(target);
  open.push(proxy);
  const { hostname, port } = new URL(proxy.through('http://proxy'));
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write('who?');
  await once(socket, 'data');

  // once() would reject because of the reset, which is expected here.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  proxy.silenceOpen();
  proxy.heal();
  await closed;
  expect(proxy.connections).toBe(0);
  expect(await requestName(proxy)).toBe('target');
});
