import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { defineServices, type ServiceName } from '../../../supervisor/src/services.ts';
import type { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { sendSignal } from '../system/send-signal.ts';
import type { Servers } from '../system/servers.ts';

/** What the replicas of all services have in common. */
export interface ReplicaSettings {
  servers: Servers;
  logs: string;
  log(line: string): void;
  /** The addresses of the contexts, behind the load balancer. */
  urls: Record<ContextName, string>;
  /** Variables of every process, with keys and secrets. */
  variables: Record<string, string> & { DRAIN_SECONDS: string; REDIS_URL: string };
  /** The folder of the version that a replica runs, at each of its starts. */
  rootFor(replica: string): string;
}

/** One process of a service, which can be started and stopped many times on the same port. */
export class Replica {
  /** `book-2`: the second replica of book. */
  readonly name: string;
  readonly service: ServiceName;
  readonly port: number;
  readonly #settings: ReplicaSettings;
  #supervised: SupervisedProcess | undefined;
  #pid: number | undefined;

  constructor(service: ServiceName, number: number, port: number, settings: ReplicaSettings) {
    this.name = `${service}-${number}`;
    this.service = service;
    this.port = port;
    this.#settings = settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Resolves when it is ready. */
  start(): Promise<void> {
    // A supervised process cannot be started again after it was stopped: each start creates one.
    this.#supervised = this.#define();
    return this.#supervised.start();
  }

  /** Returns whether it was running. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#pid !== undefined && sendSignal(this.#pid, signal);
  }

  /** Sends SIGTERM and resolves when it has exited. */
  async stop(): Promise<void> {
    await this.#supervised?.stop();
    this.#supervised = undefined;
  }

  #define(): SupervisedProcess {
    const { servers, urls, variables, log, rootFor } = this.#settings;
    const { name, service, port } = this;
    const logs = join(this.#settings.logs, name);
    mkdirSync(logs, { recursive: true });
    return defineServices({
      root: rootFor(name),
      logs,
      routerHost: '127.0.0.1',
      ports: { router: port, book: port, payment: port, space: port, mypage: port },
      urls,
      shared: {
        ...variables,
      },
      databases: byContext((context) =>
        context === 'mypage' ? servers.viewsUrl : servers.postgres.urls[context],
      ),
      onChange: (changed, pid) => {
        if (changed === service) this.#pid = pid;
      },
      say: (line) => log(`${name}: ${line}`),
    })[service];
  }
}

export function byContext(value: (context: ContextName) => string): Record<ContextName, string> {
  const entries = contextNames.map((context) => [context, value(context)]);
  return Object.fromEntries(entries) as Record<ContextName, string>;
}
