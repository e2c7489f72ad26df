const SAME_KEYSTROKE_MS = 1_000;

/**
 * Stops everything that was started, in reverse order, once: on a signal, or when starting failed.
 * `abort` cancels what is still being started.
 */
export class Shutdown {
  readonly #say: (line: string) => void;
  readonly #steps: (() => void | Promise<void>)[] = [];
  readonly #hurries: (() => void)[] = [];
  readonly #controller = new AbortController();
  #requestedAt = 0;
  exitCode = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => this.#handleSignal());
    }
    process.on('uncaughtException', (error) => this.fail(error));
    // The terminal may be closed before this process ends.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  }

  get abort(): AbortSignal {
    return this.#controller.signal;
  }

  /** `hurry` is called when the user does not want to wait for `step` any longer. */
  add(step: () => void | Promise<void>, hurry?: () => void): void {
    this.#steps.push(step);
    if (hurry) this.#hurries.push(hurry);
  }

  /** Resolves when it is time to stop. */
  get requested(): Promise<void> {
    if (this.abort.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.abort.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  fail(error: unknown): void {
    // A stop makes what is still being started fail.
    if (this.abort.aborted) return;
    this.exitCode = 1;
    console.error(error instanceof Error ? error.message : String(error));
    this.#controller.abort();
  }

  async run(): Promise<void> {
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        this.exitCode = 1;
        console.error(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #handleSignal(): void {
    if (!this.abort.aborted) {
      this.#requestedAt = Date.now();
      if (this.#steps.length > 0) this.#say('\nStopping …');
      this.#controller.abort();
      return;
    }
    // The terminal signals npm and this process, and npm forwards it: one Ctrl-C arrives twice.
    if (Date.now() - this.#requestedAt < SAME_KEYSTROKE_MS) return;
    for (const hurry of this.#hurries) hurry();
  }
}
