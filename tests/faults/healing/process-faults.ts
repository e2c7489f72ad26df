import { setTimeout as wait } from 'node:timers/promises';
import { type ServiceName, serviceNames } from '../../../supervisor/src/services.ts';
import { sendSignal } from '../system/send-signal.ts';
import { signalOnExit } from '../system/signal-on-exit.ts';
import type { Fault } from './fault.ts';

/** One process of a service; what starts it again differs. */
export interface FailingProcess {
  service: ServiceName;
  name: string;
  /** Undefined while it does not run. */
  pid(): number | undefined;
  isReady(): Promise<boolean>;
}

/** kill -9 of one process of each service. */
export function killFaults(processes: readonly FailingProcess[], repairedBy: string): Fault[] {
  return serviceNames.map((service) => {
    const target = find(processes, service);
    let killed: number | undefined;
    return {
      ...{ group: 'kill', what: 'kill -9', target: target.name, repairedBy },
      async inject() {
        killed = requirePid(target);
        sendSignal(killed, 'SIGKILL');
      },
      untilRepaired: (signal) => untilReplaced(target, killed, signal),
    } satisfies Fault;
  });
}

/** SIGSTOP of one process of each service, until `repairedBy` ends it; clients go on with the others meanwhile. */
export function hangFaults(
  processes: readonly FailingProcess[],
  repairedBy: string,
  untilContained: (name: string, signal: AbortSignal) => Promise<void>,
): Fault[] {
  return serviceNames.map((service) => {
    const target = find(processes, service);
    return {
      ...hangFault(target, repairedBy),
      untilContained: (signal) => untilContained(target.name, signal),
    };
  });
}

/** SIGSTOP of a process, until `repairedBy` ends it. */
export function hangFault(target: FailingProcess, repairedBy: string): Fault {
  let hung: number | undefined;
  let cancel = () => {};
  return {
    ...{ group: 'hang', what: 'SIGSTOP', target: target.name, repairedBy },
    async inject() {
      hung = requirePid(target);
      cancel = signalOnExit('CONT', hung);
      sendSignal(hung, 'SIGSTOP');
    },
    untilRepaired: (signal) => untilReplaced(target, hung, signal).finally(cancel),
  };
}

/** Until another process than `pid` is ready. */
export async function untilReplaced(
  target: Pick<FailingProcess, 'pid' | 'isReady'>,
  pid: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const current = target.pid();
    if (current !== undefined && current !== pid && (await target.isReady())) return;
    await wait(50);
  }
}

export function requirePid({ name, pid }: FailingProcess): number {
  const running = pid();
  if (running === undefined) throw new Error(`${name} does not run: nothing can happen to it.`);
  return running;
}

/** The first process of the service. */
export function find(processes: readonly FailingProcess[], service: ServiceName): FailingProcess {
  const found = processes.find((each) => each.service === service);
  if (!found) throw new Error(`There is no process of ${service}.`);
  return found;
}

/** Whether the process at the address says that it is ready. */
export async function respondsReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
