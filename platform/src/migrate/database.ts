/** What applying migrations needs of a database. One connection, which also holds the lock. */
export interface MigrationDatabase {
  /** As in Prisma's migration_lock.toml. */
  provider: 'postgresql' | 'sqlite' | 'mysql';
  /** For messages: the address without the credentials. */
  name: string;
  /** False while another process holds the lock, which lasts until `close`. */
  tryLock(): Promise<boolean>;
  hasMigrationsTable(): Promise<boolean>;
  createMigrationsTable(): Promise<void>;
  /** One statement, with `?` for its values. */
  query<Row = unknown>(sql: string, values?: (string | Date)[]): Promise<Row[]>;
  /** Any number of statements. */
  runScript(sql: string): Promise<void>;
  /** Whether `atomically` can undo this script. */
  canRollBack(sql: string): boolean;
  atomically(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export const CONNECT_TIMEOUT_MS = 10_000;

/** The address for messages. */
export function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
