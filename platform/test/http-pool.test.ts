import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { until } from '../../tests/support/system.ts';
import { type HttpPool, openHttpPool } from '../http/http-pool.ts';

/** A server that would keep connections far longer than the pool does. */
async function startServer() {
  const connections = new Set<Socket>();
  const open = new Set<Socket>();
  const server = createServer((_request, response) => response.end('{}'));
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    connections.add(socket);
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    connections,
    open,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

const requestOver = (pool: HttpPool) => async () =>
  (await pool.request({ method: 'GET', path: '/' })).body.dump();

test('a pool between services replaces connections that are old, and closes those that are idle', async () => {
  const server = await startServer();
  const ages = { maxAgeMs: 300, keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 };
  const pool = openHttpPool(server.url, { connections: 1, ...ages });
  const request = requestOver(pool);
  await until('another connection under load', async () => {
    await request();
    await pause(20);
    return server.connections.size > 1;
  });
  await until('no connection without load', async () => server.open.size === 0);
  await pool.close();
  await server.stop();
});

test('a pool between services sends requests over one connection while it is young', async () => {
  const server = await startServer();
  const pool = openHttpPool(server.url, { connections: 1, maxAgeMs: 60_000 });
  for (let n = 0; n < 5; n += 1) await requestOver(pool)();
  expect(server.connections.size).toBe(1);
  await pool.close();
  await server.stop();
});
