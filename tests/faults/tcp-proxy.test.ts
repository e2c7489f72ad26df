import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { TcpProxy } from './tcp-proxy.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** A server that says its name to whoever asks. */
async function server(name: string): Promise<{ host: string; port: number }> {
  const listening: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(name));
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  open.push(listening);
  return { host: '127.0.0.1', port: (listening.address() as { port: number }).port };
}

async function ask(proxy: TcpProxy): Promise<string> {
  const { hostname, port } = new URL(proxy.through('http://proxy'));
  const socket = connect(Number(port), hostname);
  try {
    socket.write('who?');
    const [answer] = await once(socket, 'data');
    return String(answer);
  } finally {
    socket.destroy();
  }
}

test('each connection gets the next target, and one that is gone is passed over', async () => {
  const [first, second] = [await server('first'), await server('second')];
  const gone = await server('gone');
  await new Promise((resolve) => (open.pop() as Server).close(resolve));
  const proxy = await TcpProxy.open(first, gone, second);
  open.push(proxy);

  const answers = [];
  for (let turn = 0; turn < 6; turn += 1) answers.push(await ask(proxy));
  expect(new Set(answers)).toEqual(new Set(['first', 'second']));
});

test('a half-open connection is reset when it is healed', async () => {
  const target = await server('target');
  const proxy = await TcpProxy.open(target);
  open.push(proxy);
  const { hostname, port } = new URL(proxy.through('http://proxy'));
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write('who?');
  await once(socket, 'data');

  // Not once(): it takes the reset, which is wanted here, for a failure.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  proxy.silenceOpen();
  proxy.heal();
  await closed;
  expect(proxy.connections).toBe(0);
  expect(await ask(proxy)).toBe('target');
});
