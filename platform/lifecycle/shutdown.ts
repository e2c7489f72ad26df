import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../observability/logger.ts';

type Step = () => Promise<unknown> | unknown;

/** Ends a process in order. */
export interface Lifecycle {
  /** Aborted when the drain begins: from then on the process is not ready. */
  draining: AbortSignal;
  /** Registers a step that runs during the drain: the end of work that no request waits for. */
  onDrain(name: string, step: Step): void;
  /** Registers a step that runs after the drain, together with the others: the end of connections. */
  onDrained(name: string, step: Step): void;
  /** Registers a step that runs after all of these; the steps run in the order of registration. */
  onStop(name: string, step: Step): void;
}

interface NamedStep {
  name: string;
  step: Step;
}

/** For everything after the drain: 10 s for requests, then queue, relay and pools. */
const STOP_TIMEOUT_MS = 18_000;

/** The shutdown of one process. */
export interface Shutdown {
  lifecycle: Lifecycle;
  /** Must be called after a successful start: only then is there a drain. */
  started(): void;
  /** Runs the registered steps and ends the process; a second call ends the drain at once. */
  stop(reason: string, exitCode: number): Promise<void>;
}

export function openShutdown(logger: Logger, drainSeconds: number): Shutdown {
  const draining = new AbortController();
  const drainEnd = new AbortController();
  const steps = { drain: [] as NamedStep[], drained: [] as NamedStep[], stop: [] as NamedStep[] };
  let isStarted = false;
  let stopping: Promise<void> | undefined;

  const run = async ({ name, step }: NamedStep): Promise<void> => {
    try {
      await step();
    } catch (error) {
      logger.warn({ err: error, step: name }, 'a step of the shutdown failed');
    }
  };

  const stopInOrder = async (reason: string, exitCode: number): Promise<void> => {
    const drainMs = isStarted ? drainSeconds * 1_000 : 0;
    logger.info({ reason, drainSeconds: drainMs / 1_000 }, 'draining');
    setTimeout(() => {
      logger.error('the shutdown took too long: what is not finished is cut off');
      process.exit(1);
    }, drainMs + STOP_TIMEOUT_MS).unref();
    draining.abort();
    const drains = steps.drain.map(run);
    await wait(drainMs, undefined, { signal: drainEnd.signal }).catch(() => {});
    logger.info('stopping');
    await Promise.all([...drains, ...steps.drained.map(run)]);
    for (const step of steps.stop) await run(step);
    logger.info('stopped');
    process.exit(exitCode);
  };

  return {
    lifecycle: {
      draining: draining.signal,
      onDrain: (name, step) => void steps.drain.push({ name, step }),
      onDrained: (name, step) => void steps.drained.push({ name, step }),
      onStop: (name, step) => void steps.stop.push({ name, step }),
    },
    started() {
      isStarted = true;
    },
    stop(reason, exitCode) {
      if (stopping) drainEnd.abort();
      stopping ??= stopInOrder(reason, exitCode);
      return stopping;
    },
  };
}
