import { expect, test } from '@jest/globals';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { engines } from './engines.ts';

for (const { name, create } of engines.filter((engine) => engine.name === 'MariaDB')) {
  test(`a session on ${name} that hangs within a transaction is ended by the server, which releases its locks`, async () => {
    const database = await create();
    const hanging = await openViewDatabase(database.url);
    const other = await openViewDatabase(database.url);
    await hanging.$executeRawUnsafe('CREATE TABLE locked (id INT PRIMARY KEY)');
    await hanging.$executeRawUnsafe('INSERT INTO locked VALUES (1)');
    const hung = hanging.$transaction(
      async (transaction) => {
        await transaction.$queryRawUnsafe('SELECT id FROM locked FOR UPDATE');
        // Longer than the timeout of the lock below, and than that of the session.
        await other.$executeRawUnsafe('DELETE FROM locked WHERE id = 1');
        await transaction.$queryRawUnsafe('SELECT 1');
      },
      { timeout: 60_000 },
    );
    await expect(hung).rejects.toThrow();
    expect(await other.$queryRawUnsafe('SELECT id FROM locked')).toEqual([]);
    await Promise.all([hanging.$disconnect(), other.$disconnect()]);
    await database.drop();
  }, 90_000);
}
