import { setTimeout as wait } from 'node:timers/promises';
import type { ServiceName, Services } from '../../../supervisor/src/services.ts';
import type { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import { whenThisProcessEnds } from './guard.ts';

/** One running copy of a service, with what stands between it and its servers. */
export class ServiceProcess {
  /** `book-2`: the second copy of book. */
  readonly name: string;
  readonly service: ServiceName;
  readonly url: string;
  readonly database: TcpProxy | undefined;
  readonly queue: TcpProxy;
  readonly #define: (onChange: (pid: number | undefined) => void) => Services;
  #supervised: SupervisedProcess | undefined;
  #pid: number | undefined;

  constructor(of: {
    name: string;
    service: ServiceName;
    url: string;
    database?: TcpProxy;
    queue: TcpProxy;
    /** The product's own definition of the service, with its restarts. */
    define: (onChange: (pid: number | undefined) => void) => Services;
  }) {
    this.name = of.name;
    this.service = of.service;
    this.url = of.url;
    this.database = of.database;
    this.queue = of.queue;
    this.#define = of.define;
  }

  start(): Promise<void> {
    // A supervised process that was told to stop never starts again: it takes a new one.
    const services = this.#define((pid) => {
      this.#pid = pid;
    });
    this.#supervised = services[this.service];
    return this.#supervised.start();
  }

  async stop(): Promise<void> {
    await this.#supervised?.stop();
  }

  /** Whoever is killed or stopped by a signal is started again. Answers whether there was one. */
  signal(signal: 'SIGKILL' | 'SIGTERM'): boolean {
    return this.#pid !== undefined && send(this.#pid, signal);
  }

  /** Freezes the process, as a long pause of its machine would. */
  async freeze(ms: number): Promise<boolean> {
    const pid = this.#pid;
    if (pid === undefined) return false;
    const callOff = whenThisProcessEnds('CONT', pid);
    try {
      if (!send(pid, 'SIGSTOP')) return false;
      await wait(ms);
      send(pid, 'SIGCONT');
    } finally {
      callOff();
    }
    return true;
  }

  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/health/ready`, {
        signal: AbortSignal.timeout(2_000),
      });
      await response.body?.cancel();
      return response.status === 200;
    } catch {
      return false;
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
