import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { until } from '../../tests/support/system.ts';
import { openHttpPool } from '../src/http-pool.ts';

test('a pool between services replaces connections that are old, and closes those that are idle', async () => {
  const connections = new Set<Socket>();
  const open = new Set<Socket>();
  const server = createServer((_request, response) => response.end('{}'));
  // It would keep connections far longer.
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    connections.add(socket);
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ages = { maxAgeMs: 300, keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 };
  const pool = openHttpPool(`http://127.0.0.1:${port}`, { connections: 1, ...ages });
  const ask = async () => (await pool.request({ method: 'GET', path: '/' })).body.dump();
  await ask();
  await ask();
  expect(connections.size).toBe(1);
  await until('another connection under load', async () => {
    await ask();
    await pause(20);
    return connections.size > 1;
  });
  await until('no connection without load', async () => open.size === 0);
  await pool.close();
  await new Promise((resolve) => server.close(resolve));
});
