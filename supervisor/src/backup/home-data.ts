import { join } from 'node:path';
import { contextNames, topology } from '#contracts/topology.ts';

/** The databases of the embedded PostgreSQL that belong to contexts; that of the queue is transport. */
export const postgresContexts = contextNames.filter(
  (name) => topology[name].database === 'postgres',
);
/** The contexts whose database is a file of its own, which is not of the same moment as PostgreSQL. */
export const fileContexts = contextNames.filter((name) => topology[name].database !== 'postgres');

/** The folder of PostgreSQL in a home and in a backup. */
export const CLUSTER = 'postgres';
/** Without the first, nobody can open the data; by the others tokens stay valid. */
export const secretFiles = ['postgres-password', 'auth-secret', 'internal-token-key'];

export const databaseFile = (name: string): string => `${name}.sqlite`;

/** What a home's data are, by their names in it; PostgreSQL last: without it a home is new. */
export const dataNames = [
  ...secretFiles,
  ...fileContexts.flatMap((name) =>
    ['', '-wal', '-shm'].map((suffix) => `${databaseFile(name)}${suffix}`),
  ),
  CLUSTER,
];

/** Exists while a restore exchanges a home's data: until it has ended, nothing may start there. */
export const exchangeFolder = (home: string): string => join(home, 'restore-unfinished');
