import { setTimeout as wait } from 'node:timers/promises';
import { secretsIn } from '../auth/secrets.ts';
import { ConfigError } from '../config/settings.ts';
import { createLogger, type Logger } from '../observability/logger.ts';

type Step = () => Promise<unknown> | unknown;

/** Ends a process in order. */
export interface Lifecycle {
  /** Aborted when the drain begins: from then on the process is not ready. */
  draining: AbortSignal;
  /** Registers what begins together with the drain: the end of work that nobody waits for. */
  onDrain(name: string, step: Step): void;
  /** Registers what begins, all at once, when the drain is over: the end of connections. */
  onDrained(name: string, step: Step): void;
  /** Registers a step that runs after all of these; the steps run in the order of registration. */
  onStop(name: string, step: Step): void;
}

/** For all that follows the drain: 10 s for requests, then queue, relay and pools. */
const STOP_MS = 18_000;

/**
 * Runs a service: reads its settings, then `start`s it, which registers how to stop each part.
 * SIGTERM, SIGINT and the end of the parent process stop it: for `DRAIN_SECONDS` it serves on and
 * is not ready, then it accepts nothing new, finishes what is under way, and closes. A second
 * signal ends the drain at once. Exits with 0 after a clean stop, with 1 when the start failed or
 * the stop took more than 18 s beyond the drain, with 2 and a sentence for each problem when the
 * environment is not usable.
 */
export async function runService<Config extends { LOG_LEVEL: string; DRAIN_SECONDS: number }>(
  name: string,
  configure: (env: NodeJS.ProcessEnv) => Config,
  start: (service: { config: Config; logger: Logger } & Lifecycle) => Promise<void>,
): Promise<void> {
  const config = readOrExit(configure);
  const logger = createLogger(name, config.LOG_LEVEL, secretsIn(config));
  const draining = new AbortController();
  const hurry = new AbortController();
  const steps = { drain: [] as NamedStep[], drained: [] as NamedStep[], stop: [] as NamedStep[] };
  let started = false;
  let stopping: Promise<void> | undefined;

  const run = async ({ name, step }: NamedStep): Promise<void> => {
    try {
      await step();
    } catch (error) {
      logger.warn({ err: error, step: name }, 'a step of the shutdown failed');
    }
  };

  const stopInOrder = async (reason: string, exitCode: number): Promise<void> => {
    // What never served has nobody to wait for.
    const drainMs = started ? config.DRAIN_SECONDS * 1_000 : 0;
    logger.info({ reason, drainSeconds: drainMs / 1_000 }, 'draining');
    setTimeout(() => {
      logger.error('the shutdown took too long: what is not finished is cut off');
      process.exit(1);
    }, drainMs + STOP_MS).unref();
    draining.abort();
    const drains = steps.drain.map(run);
    await wait(drainMs, undefined, { signal: hurry.signal }).catch(() => {});
    logger.info('stopping');
    await Promise.all([...drains, ...steps.drained.map(run)]);
    for (const step of steps.stop) await run(step);
    logger.info('stopped');
    process.exit(exitCode);
  };
  const stop = (reason: string, exitCode: number): Promise<void> => {
    if (stopping) hurry.abort();
    stopping ??= stopInOrder(reason, exitCode);
    return stopping;
  };

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  // A supervisor that died leaves no orphans: its end of the channel closes.
  process.on('disconnect', () => void stop('the supervisor is gone', 0));
  // It may have died while this process was still loading.
  if (process.connected === false) void stop('the supervisor is gone', 0);

  // Node would write the error as it is, with whatever password it may hold.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'the service breaks off');
    process.exit(1);
  });

  try {
    await start({
      config,
      logger,
      draining: draining.signal,
      onDrain: (name, step) => void steps.drain.push({ name, step }),
      onDrained: (name, step) => void steps.drained.push({ name, step }),
      onStop: (name, step) => void steps.stop.push({ name, step }),
    });
    started = true;
  } catch (error) {
    logger.fatal({ err: error }, 'the service could not start');
    await stop('failed start', 1);
  }
}

interface NamedStep {
  name: string;
  step: Step;
}

function readOrExit<Config>(configure: (env: NodeJS.ProcessEnv) => Config): Config {
  try {
    return configure(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** Calls `work` every `ms` until stopped; a failure is logged and the next turn tries again. */
export function repeat(
  logger: Logger,
  name: string,
  ms: number,
  work: () => Promise<unknown>,
): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let running: Promise<unknown> = Promise.resolve();
  const turn = () => {
    running = work()
      .catch((error) => logger.warn({ err: error }, `${name} failed and is tried again`))
      .finally(() => {
        if (!stopped) timer = setTimeout(turn, ms);
      });
  };
  timer = setTimeout(turn, ms);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
