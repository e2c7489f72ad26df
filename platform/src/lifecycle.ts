import { ConfigError } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { secretsIn } from './secrets.ts';

/** Ends a process in order. */
export interface Lifecycle {
  /** Registers a step of the shutdown; steps run in the order of their registration. */
  onStop(name: string, step: () => Promise<unknown> | unknown): void;
}

const GRACE_MS = 12_000;

/**
 * Runs a service: reads its settings, then `start`s it, which registers how to stop each part.
 * SIGTERM, SIGINT and the end of the parent process stop it: accept nothing new, drain, close.
 * Exits with 0 after a clean stop, with 1 when the start failed or the stop took longer than 12 s,
 * with 2 and a sentence for each problem when the environment is not usable.
 */
export async function runService<Config extends { LOG_LEVEL: string }>(
  name: string,
  configure: (env: NodeJS.ProcessEnv) => Config,
  start: (service: { config: Config; logger: Logger } & Lifecycle) => Promise<void>,
): Promise<void> {
  const config = readOrExit(configure);
  const logger = createLogger(name, config.LOG_LEVEL, secretsIn(config));
  const steps: { name: string; step: () => Promise<unknown> | unknown }[] = [];
  let stopping: Promise<void> | undefined;

  const stop = (reason: string, exitCode: number): Promise<void> => {
    stopping ??= (async () => {
      logger.info({ reason }, 'stopping');
      setTimeout(() => {
        logger.error('the shutdown took too long');
        process.exit(1);
      }, GRACE_MS).unref();
      for (const { name, step } of steps) {
        try {
          await step();
        } catch (error) {
          logger.warn({ err: error, step: name }, 'a step of the shutdown failed');
        }
      }
      logger.info('stopped');
      process.exit(exitCode);
    })();
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
      onStop: (step, work) => void steps.push({ name: step, step: work }),
    });
  } catch (error) {
    logger.fatal({ err: error }, 'the service could not start');
    await stop('failed start', 1);
  }
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
