import { type System, startSystem } from './system.ts';

/**
 * Starts a system, measures it, and stops it, also when the measuring fails or is interrupted; then
 * ends the process. `readOptions` and `measure` fail with a sentence; `settings` are added to the
 * environment of its services.
 */
export async function measureSystem<Options extends { out: string; folder?: string }>(
  readOptions: (args: string[]) => Options,
  measure: (system: System, options: Options) => Promise<void>,
  settings: Record<string, string> = {},
): Promise<never> {
  let starting: Promise<System> | undefined;
  try {
    const options = readOptions(process.argv.slice(2));
    const interrupted = interruption();
    log('Starting the system');
    starting = startSystem(options.folder, settings);
    // Stop measuring when the system ends, for whatever reason.
    const measuring = starting.then((system) =>
      Promise.race([measure(system, options), system.ended]),
    );
    await Promise.race([measuring, interrupted]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
  if (starting) {
    log('Stopping the system');
    const system = await starting.catch(() => undefined);
    await system?.stop();
  }
  process.exit();
}

/** A line of progress, with the seconds since the program began. */
export function log(line: string): void {
  const seconds = (performance.now() / 1_000).toFixed(0);
  console.log(`${seconds.padStart(4)} s  ${line}`);
}

function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error('Interrupted.')));
    }
  });
}
