/** Calls `work` again while it fails with {@link LockTimeout}, for a bounded time. */
export type Retry = <T>(work: () => Promise<T>) => Promise<T>;

/** What applying migrations needs of a database. One connection, which also holds the lock. */
export interface MigrationDatabase {
  /** As in Prisma's migration_lock.toml. */
  provider: 'postgresql' | 'sqlite' | 'mysql';
  /** For messages: the address without the credentials. */
  name: string;
  /** False while another process holds the lock, which lasts until `close`. */
  tryLock(): Promise<boolean>;
  /** Who holds that lock, for a message. */
  lockOwner(): Promise<string>;
  hasMigrationsTable(): Promise<boolean>;
  createMigrationsTable(): Promise<void>;
  /** One statement, with `?` for its values. */
  query<Row = unknown>(sql: string, values?: (string | Date)[]): Promise<Row[]>;
  /**
   * Any number of statements. Rejects with {@link LockTimeout} when one of them cannot have its
   * locks in time; where statements commit one by one, each is given to `retry`.
   */
  runScript(sql: string, retry?: Retry): Promise<void>;
  /** Whether `atomically` can undo this script. */
  canRollBack(sql: string): boolean;
  atomically(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A statement waited for a lock for as long as it may, and changed nothing. */
export class LockTimeout extends Error {
  override name = 'LockTimeout';
  /** The sessions that hold the lock, for a message. */
  readonly blockedBy: string;
  /** How many statements of the script before it have taken effect. */
  readonly statementsDone: number;

  constructor(blockedBy: string, statementsDone: number, cause: unknown) {
    super(`It waited too long for a lock. Blocked by: ${blockedBy}.`, { cause });
    this.blockedBy = blockedBy;
    this.statementsDone = statementsDone;
  }
}

export const CONNECT_TIMEOUT_MS = 10_000;

/** The address for messages. */
export function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
