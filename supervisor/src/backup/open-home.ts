import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ContextName } from '#contracts/topology.ts';
import { HomeInUse, lockHome } from '../home-lock.ts';
import { readInstance } from '../instance-file.ts';
import { endLeftovers } from '../leftovers.ts';
import { lastLines, logFile } from '../logs.ts';
import { choosePorts } from '../ports.ts';
import { startPostgres } from '../postgres.ts';
import type { SupervisedProcess } from '../supervised-process.ts';
import { CLUSTER } from './home-data.ts';

/** The databases of a home, whether or not spacerent runs on it. */
export interface OpenHome {
  isRunning: boolean;
  /** The folder of PostgreSQL's data. */
  data: string;
  /** The address of a database of PostgreSQL. */
  urlOf(database: string): string;
  close(): Promise<void>;
}

/**
 * Connects to the system that runs on the home, or starts PostgreSQL alone on its data, under the home's
 * lock. Throws a sentence where there is nothing to back up.
 */
export async function openHome(
  home: string,
  say: (line: string) => void,
  abort: AbortSignal,
): Promise<OpenHome> {
  if (!existsSync(home)) throw new Error(`There is no home ${home}: SPACERENT_HOME names it.`);
  if (!existsSync(join(home, CLUSTER))) {
    throw new Error(
      `${home} holds no data of the embedded profile. Databases on servers are backed up by their own means: ` +
        'see docs/operations/backup.md.',
    );
  }
  let unlock: () => void;
  try {
    unlock = lockHome(home, 'a backup');
  } catch (error) {
    if (error instanceof HomeInUse) return openRunning(home, error.holder.graphqlUrl);
    throw error;
  }
  try {
    return await openStopped(home, say, abort, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function openRunning(home: string, holder: string): OpenHome {
  const databases: Partial<Record<ContextName, string>> = readInstance(home)?.databases ?? {};
  const { book } = databases;
  if (!book) {
    throw new Error(
      holder.startsWith('http')
        ? `spacerent is just starting on ${home}: repeat the command when it is ready.`
        : `${holder} is under way on ${home}: repeat the command when it has ended.`,
    );
  }
  return {
    isRunning: true,
    data: realpathSync(join(home, CLUSTER)),
    urlOf: (database) => withDatabase(book, database),
    close: async () => {},
  };
}

async function openStopped(
  home: string,
  say: (line: string) => void,
  abort: AbortSignal,
  unlock: () => void,
): Promise<OpenHome> {
  await endLeftovers(home, say);
  const { urlOf, stop } = await startCluster(home, say, abort);
  return {
    isRunning: false,
    data: realpathSync(join(home, CLUSTER)),
    urlOf,
    async close() {
      await stop();
      unlock();
    },
  };
}

/** Starts PostgreSQL alone on the data of a home. */
export async function startCluster(
  home: string,
  say: (line: string) => void,
  abort: AbortSignal,
): Promise<{ urlOf: (database: string) => string; stop: () => Promise<void> }> {
  const ports = await choosePorts(0);
  let server: SupervisedProcess | undefined;
  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const log = logFile(logs, 'postgres');
  try {
    const { queue } = await startPostgres({
      home,
      port: ports.postgres,
      log,
      say,
      onChange: () => {},
      onStarting: (process) => {
        server = process;
      },
      abort,
    });
    return {
      urlOf: (database) => withDatabase(queue, database),
      stop: async () => server?.stop(),
    };
  } catch (error) {
    await server?.stop();
    const lines = lastLines(log, 5).map((line) => `\n  ${line}`);
    throw new Error(
      `PostgreSQL does not start on ${home}: ${(error as Error).message}${lines.join('')}`,
    );
  }
}

function withDatabase(url: string, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href;
}
