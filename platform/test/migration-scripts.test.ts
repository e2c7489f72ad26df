import { expect, test } from '@jest/globals';
import { describeMigrations } from './migration-setup.ts';

describeMigrations(
  'scripts of migrations',
  (setup) => {
    test('a migration that redefines a table keeps the rows that refer to it', async () => {
      await setup.write(
        '20250103000000_booking',
        `CREATE TABLE booking (id INTEGER PRIMARY KEY, space_id INTEGER NOT NULL,
         FOREIGN KEY (space_id) REFERENCES space (id) ON DELETE CASCADE);
       INSERT INTO booking VALUES (7, 1);`,
      );
      await setup.write(
        '20250104000000_redefine',
        `PRAGMA foreign_keys=OFF;
       CREATE TABLE new_space (id INTEGER NOT NULL PRIMARY KEY, title TEXT);
       INSERT INTO new_space SELECT id, title FROM space;
       DROP TABLE space;
       ALTER TABLE new_space RENAME TO space;
       PRAGMA foreign_keys=ON;`,
      );
      await setup.migrate();
      expect(await setup.database.query('SELECT * FROM booking')).toHaveLength(1);
    });
  },
  ['sqlite'],
);

describeMigrations(
  'scripts of migrations',
  (setup) => {
    test('a migration may hold functions, its own transactions and concurrent indexes', async () => {
      await setup.write(
        '20250103000000_function',
        `CREATE FUNCTION one() RETURNS integer LANGUAGE plpgsql AS $$
       BEGIN
         RETURN 1;
       END $$;`,
      );
      await setup.write(
        '20250104000000_index',
        'CREATE INDEX CONCURRENTLY by_title ON space (title);',
      );
      await setup.write('20250105000000_own', 'BEGIN;\nCREATE TABLE own (id INTEGER);\nCOMMIT;');
      // CREATE INDEX CONCURRENTLY waits for other transactions, so none may wait for the lock in one.
      expect(
        (await Promise.all([setup.migrate(), setup.migrate(), setup.migrate()])).flat(),
      ).toHaveLength(5);
      expect((await setup.rows()).every((row) => row.finished_at !== null)).toBe(true);

      await setup.write(
        '20250106000000_broken',
        'BEGIN;\nCREATE TABLE b (id INTEGER);\nboom;\nCOMMIT;',
      );
      await expect(setup.migrate()).rejects.toThrow(/20250106000000_broken failed halfway: .*boom/);
      expect((await setup.rows())[5]).toMatchObject({
        finished_at: null,
        logs: expect.any(String),
      });
    });
  },
  ['postgresql'],
);
