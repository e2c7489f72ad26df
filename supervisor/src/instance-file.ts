import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { identify } from './process-identity.ts';

const RETRY_MS = 1_000;

const processSchema = z.object({
  pid: z.number().nullable(),
  birth: z.string().nullable(),
  port: z.number(),
  url: z.string().optional(),
});

const instanceSchema = z.object({
  pid: z.number(),
  startedAt: z.string(),
  state: z.enum(['starting', 'ready', 'stopping']),
  profile: z.enum(['embedded', 'servers']),
  graphqlUrl: z.string(),
  logs: z.string(),
  postgres: processSchema.optional(),
  databases: z.record(z.string(), z.string()),
  redisUrl: z.string().optional(),
  services: z.record(z.string(), processSchema),
});

/** The running processes, for tools and tests, and for the next start after a crash. */
export type Instance = z.infer<typeof instanceSchema>;

export class InstanceFile {
  readonly #file: string;
  readonly #instance: Instance;
  readonly #say: (line: string) => void;
  #retry: NodeJS.Timeout | undefined;

  /** Throws when the file cannot be written. */
  constructor(home: string, instance: Instance, say: (line: string) => void) {
    this.#file = join(home, 'instance.json');
    this.#instance = instance;
    this.#say = say;
    this.#save();
  }

  /** A full disk must not end what runs: a file that cannot be written is written later. */
  update(change: Partial<Instance>): void {
    Object.assign(this.#instance, change);
    this.#saveOrRetry();
  }

  setPostgres(pid: number | undefined, port: number): void {
    this.update({ postgres: describe(pid, port) });
  }

  setService(name: string, pid: number | undefined, port: number): void {
    const url = `http://127.0.0.1:${port}`;
    const services = { ...this.#instance.services, [name]: { ...describe(pid, port), url } };
    this.update({ services });
  }

  #saveOrRetry(): void {
    try {
      this.#save();
      if (this.#retry) this.#say(`${this.#file} is written again.`);
      clearInterval(this.#retry);
      this.#retry = undefined;
    } catch (error) {
      if (this.#retry) return;
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === 'ENOSPC' ? 'the disk is full' : message;
      this.#say(
        `${this.#file} cannot be written: ${reason}. Everything goes on; it is tried again every second.`,
      );
      this.#retry = setInterval(() => this.#saveOrRetry(), RETRY_MS);
      this.#retry.unref();
    }
  }

  /** Replaces the file atomically; only its owner may read it, because it contains passwords. */
  #save(): void {
    const draft = `${this.#file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(this.#instance, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.#file);
  }

  remove(): void {
    clearInterval(this.#retry);
    rmSync(this.#file, { force: true });
  }
}

/** The birth distinguishes this process from a later one with the same pid. */
function describe(pid: number | undefined, port: number) {
  const identity = pid === undefined ? undefined : identify(pid);
  return { pid: identity?.pid ?? null, birth: identity?.birth ?? null, port };
}

/** The instance of a supervisor that runs or has crashed; undefined if there is none. */
export function readInstance(home: string): Instance | undefined {
  try {
    return instanceSchema.parse(JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')));
  } catch {
    return undefined;
  }
}
