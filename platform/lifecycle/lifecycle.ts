import { secretsIn } from '../auth/secrets.ts';
import { ConfigError } from '../config/settings.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { type Lifecycle, openShutdown } from './shutdown.ts';

/**
 * Runs a service: reads its settings, then `start`s it, which registers how to stop each part.
 * SIGTERM, SIGINT and the end of the parent process stop it: for `DRAIN_SECONDS` it responds and
 * is not ready, then it accepts nothing new, finishes what is under way, and closes. A second
 * signal ends the drain at once. Exits with 0 after a clean stop, with 1 when the start failed or
 * the stop took more than 18 s after the drain, with 2 and a sentence for each problem when the
 * environment is not usable.
 */
export async function runService<Config extends { LOG_LEVEL: string; DRAIN_SECONDS: number }>(
  name: string,
  configure: (env: NodeJS.ProcessEnv) => Config,
  start: (service: { config: Config; logger: Logger } & Lifecycle) => Promise<void>,
): Promise<void> {
  const config = readOrExit(configure);
  const logger = createLogger(name, config.LOG_LEVEL, secretsIn(config));
  const { lifecycle, stop, started } = openShutdown(logger, config.DRAIN_SECONDS);
  stopOnSignals(stop);

  // Node would print the error as it is, with any password that it contains.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'the service breaks off');
    process.exit(1);
  });

  try {
    await start({ config, logger, ...lifecycle });
    started();
  } catch (error) {
    logger.fatal({ err: error }, 'the service could not start');
    await stop('failed start', 1);
  }
}

function stopOnSignals(stop: (reason: string, exitCode: number) => Promise<void>): void {
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  // The channel closes when the supervisor dies: its services stop with it.
  process.on('disconnect', () => void stop('the supervisor is gone', 0));
  // It may have died while this process was still loading.
  if (process.connected === false) void stop('the supervisor is gone', 0);
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

/** Calls `work` every `ms` until stopped. A failure is logged, and the next call is the retry. */
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
