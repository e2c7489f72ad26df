import { setTimeout as wait } from 'node:timers/promises';
import type { ServiceName, Services } from '../../../supervisor/src/services.ts';
import type { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import { sendSignal } from './send-signal.ts';
import { signalOnExit } from './signal-on-exit.ts';

/** One running copy of a service, with the proxies between it and its servers. */
export class ServiceProcess {
  /** `book-2`: the second copy of book. */
  readonly name: string;
  readonly service: ServiceName;
  readonly url: string;
  /** Undefined for services whose database is not a server. */
  readonly databaseProxy: TcpProxy | undefined;
  readonly queueProxy: TcpProxy;
  readonly #define: (onChange: (pid: number | undefined) => void) => Services;
  #supervised: SupervisedProcess | undefined;
  #pid: number | undefined;

  constructor(options: {
    name: string;
    service: ServiceName;
    url: string;
    databaseProxy?: TcpProxy;
    queueProxy: TcpProxy;
    /** The product's own definition of the service, with its restarts. */
    define: (onChange: (pid: number | undefined) => void) => Services;
  }) {
    this.name = options.name;
    this.service = options.service;
    this.url = options.url;
    this.databaseProxy = options.databaseProxy;
    this.queueProxy = options.queueProxy;
    this.#define = options.define;
  }

  start(): Promise<void> {
    // A supervised process cannot be started again after it was stopped: each start creates one.
    const services = this.#define((pid) => {
      this.#pid = pid;
    });
    this.#supervised = services[this.service];
    return this.#supervised.start();
  }

  async stop(): Promise<void> {
    await this.#supervised?.stop();
  }

  /** Sends a signal that ends the process; the supervisor restarts it. Returns whether one was running. */
  signal(signal: 'SIGKILL' | 'SIGTERM'): boolean {
    return this.#pid !== undefined && sendSignal(this.#pid, signal);
  }

  /** Freezes the process, as a long pause of its machine does. Returns whether one was running. */
  async freeze(ms: number): Promise<boolean> {
    const pid = this.#pid;
    if (pid === undefined) return false;
    const cancel = signalOnExit('CONT', pid);
    try {
      if (!sendSignal(pid, 'SIGSTOP')) return false;
      await wait(ms);
      sendSignal(pid, 'SIGCONT');
    } finally {
      cancel();
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
