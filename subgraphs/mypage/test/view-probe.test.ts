import { writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { TcpProxy } from '../../../tests/faults/tcp-proxy.ts';
import { viewProbe } from '../src/adapters/view-database.ts';
import { engines } from './engines.ts';

test.each(engines)('a probe of the views on $name succeeds', async ({ create }) => {
  const database = await create();
  const probe = viewProbe(database.url);
  await probe.check();
  await probe.check();
  await probe.close();
  await database.drop();
});

test('a probe of the views on SQLite fails when the file is no database', async () => {
  const [sqlite] = engines;
  const database = await (sqlite as (typeof engines)[number]).createEmpty();
  await writeFile(
    new URL(database.url),
    'no database, but longer than its header has to be'.repeat(9),
  );
  const probe = viewProbe(database.url);
  await expect(probe.check()).rejects.toThrow();
  await probe.close();
  await database.drop();
});

for (const { name, create } of engines.filter((engine) => engine.name === 'MariaDB')) {
  test(`a probe of the views on ${name} fails while it is unreachable, and succeeds afterwards`, async () => {
    const database = await create();
    const { hostname, port } = new URL(database.url);
    const proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
    const probe = viewProbe(proxy.through(database.url));
    await probe.check();
    for (const disturb of [() => proxy.refuse(), () => proxy.silenceOpen()]) {
      disturb();
      await expect(probe.check()).rejects.toThrow();
      proxy.heal();
      await probe.check();
    }
    await probe.close();
    await proxy.close();
    await database.drop();
  });
}
