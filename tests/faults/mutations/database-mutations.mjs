/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const databaseMutations = [
  {
    name: "the workers' own pool: blocked consumers delay requests",
    edits: [
      [
        'platform/database/postgres.ts',
        'const workers = openPostgres(connectionString, logger, WORKER_CONNECTIONS);',
        'const workers = requests;',
      ],
      [
        'platform/database/postgres.ts',
        'await Promise.all([requests.end(), workers.end()])',
        'await requests.end()',
      ],
    ],
    tests: 'platform/test/postgres|subgraphs/space/test/busy-pools',
  },
  {
    name: 'the reaction to a read-only server: the pool keeps connections to a former primary',
    edits: [
      ['platform/database/postgres.ts', '  renewConnectionsWhenReadOnly(pool, logger);\n', ''],
    ],
    tests: 'platform/test/postgres',
  },
  {
    name: "a migration's locks of all its tables: its deadlock fails a request",
    edits: [
      [
        'platform/database/migrate/postgres.ts',
        '        if (database.canRollBack(sql)) await lockTables(client, sql, furtherLocksMs);\n',
        '',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
  {
    name: 'the tolerance of a newer database: an older version refuses to start',
    edits: [
      [
        'platform/database/migrate/migrations.ts',
        '} else if (newest !== undefined && name > newest) {',
        '} else if (newest === undefined) {',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
  {
    name: 'the refusal of an incompatible migration: it is applied without permission',
    edits: [
      [
        'platform/database/migrate.ts',
        'if (!isFirstInstallation) requireAllowed(plan.pending, allowIncompatible);',
        '',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
  {
    name: "the migration's lock timeout: other statements queue behind it",
    edits: [
      [
        'platform/database/migrate/postgres.ts',
        'const { pid, deadlock_ms } = rows[0];\n  await setLockTimeout(lockTimeoutMs);',
        'const { pid, deadlock_ms } = rows[0];',
      ],
    ],
    tests: 'platform/test/migrate\\.',
  },
];
