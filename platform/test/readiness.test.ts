import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { postgresProbe } from '../lifecycle/readiness.ts';

describe('a probe of PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let proxy: TcpProxy;

  beforeAll(async () => {
    database = await createDatabase();
    const { hostname, port } = new URL(database.url);
    proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
  });

  afterAll(async () => {
    await proxy?.close();
    await database?.drop();
  }, 90_000);

  test('a probe fails while the database is unreachable or silent, and succeeds afterwards', async () => {
    const probe = postgresProbe(proxy.through(database.url));
    await probe.check();
    for (const cause of [() => proxy.refuse(), () => proxy.cut(), () => proxy.silenceOpen()]) {
      cause();
      await expect(probe.check()).rejects.toThrow();
      proxy.heal();
      await probe.check();
    }
    await probe.close();
    await until('no connection is left', async () => proxy.connections === 0);
  });

  test('a probe shares one query and one connection between concurrent checks', async () => {
    const probe = postgresProbe(proxy.through(database.url));
    await Promise.all(Array.from({ length: 20 }, () => probe.check()));
    expect(proxy.connections).toBe(1);
    await probe.close();
  });
});
