/** Calls `work` again while it fails with {@link LockTimeout}, for a bounded time. */
export type Retry = <T>(work: () => Promise<T>) => Promise<T>;

/** A database to migrate: one connection, which also has the lock. */
export interface MigrationDatabase {
  /** As in Prisma's migration_lock.toml. */
  provider: 'postgresql' | 'sqlite' | 'mysql';
  /** For messages: the address without the credentials. */
  name: string;
  /** False while another process has the lock, which lasts until `close`. */
  tryLock(): Promise<boolean>;
  /** The session that has the lock, for a message. */
  lockOwner(): Promise<string>;
  hasMigrationsTable(): Promise<boolean>;
  createMigrationsTable(): Promise<void>;
  /** One statement, with `?` for its values. */
  query<Row = unknown>(sql: string, values?: (string | Date)[]): Promise<Row[]>;
  /**
   * Runs any number of statements. Rejects with {@link LockTimeout} when one of them cannot acquire its
   * locks in time; where statements commit one by one, `retry` is called for each.
   */
  runScript(sql: string, retry?: Retry): Promise<void>;
  /** Whether `atomically` can undo this script. */
  canRollBack(sql: string): boolean;
  atomically(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A statement waited for a lock until its timeout, and changed nothing. */
export class LockTimeout extends Error {
  override name = 'LockTimeout';
  /** The sessions that have the lock, for a message. */
  readonly blockedBy: string;
  /** The number of earlier statements of the script, which are in effect. */
  readonly statementsDone: number;

  constructor(blockedBy: string, statementsDone: number, cause: unknown) {
    super(`It waited too long for a lock. Blocked by: ${blockedBy}.`, { cause });
    this.blockedBy = blockedBy;
    this.statementsDone = statementsDone;
  }
}

export const CONNECT_TIMEOUT_MS = 10_000;
/** A server that does not respond is not waited for. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** The address without user and password, for messages. */
export function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
