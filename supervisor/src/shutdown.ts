const sameKeystrokeMs = 1_000;

/**
 * Undoes what was started, in reverse order, once: on a signal, or when starting failed.
 * `abort` tells whoever is still starting something to leave off.
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
      process.on(name, () => this.#signalled());
    }
    process.on('uncaughtException', (error) => this.fail(error));
    // The terminal may be gone before we are.
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
    // Once stopping, what fails was in the middle of starting.
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

  #signalled(): void {
    if (!this.abort.aborted) {
      this.#requestedAt = Date.now();
      if (this.#steps.length > 0) this.#say('\nStopping …');
      this.#controller.abort();
      return;
    }
    // The terminal signals npm and us, and npm passes it on: one Ctrl-C arrives twice.
    if (Date.now() - this.#requestedAt < sameKeystrokeMs) return;
    for (const hurry of this.#hurries) hurry();
  }
}
