import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;
const HEALTHY_AFTER_MS = 30_000;
const PROBE_PERIOD_MS = 50;
const MAX_DEATHS_BEFORE_READY = 6;

export type Supervision = {
  name: string;
  spawn: () => ChildProcess;
  /** Called repeatedly while the process runs, until it resolves with true. */
  isReady: () => Promise<boolean>;
  /** Once it was ready, a process that does not respond so many times is killed, and starts again. */
  liveness?: { isAlive: () => Promise<boolean>; periodMs: number; failures: number };
  stop: { signal: NodeJS.Signals; graceMs: number; thenSignal: NodeJS.Signals };
  /** The pid after each start, undefined after each end. */
  onChange: (pid: number | undefined) => void;
  say: (line: string) => void;
};

/** The process died too often before it was ready; more restarts would hide the cause. */
export class NeverReady extends Error {
  readonly processName: string;
  constructor(processName: string) {
    super(`${processName} exited ${MAX_DEATHS_BEFORE_READY} times before it was ready.`);
    this.processName = processName;
  }
}

/** Keeps one process running until it is stopped: restarts it after a death, with growing pauses. */
export class SupervisedProcess {
  readonly #options: Supervision;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #deaths = 0;
  #isStopping = false;
  #isReady = false;
  #wasReady = false;
  #resolveReady: () => void = () => {};
  #rejectReady: (error: NeverReady) => void = () => {};
  readonly #firstReady = new Promise<void>((resolve, reject) => {
    this.#resolveReady = resolve;
    this.#rejectReady = reject;
  });

  constructor(supervision: Supervision) {
    this.#options = supervision;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when the process is ready for the first time; rejects with {@link NeverReady}. */
  start(): Promise<void> {
    this.#launch();
    return this.#firstReady;
  }

  async stop(): Promise<void> {
    const { name, stop, say } = this.#options;
    this.#isStopping = true;
    clearTimeout(this.#retry);
    this.#signal(stop.signal);
    // A process that is stopped by SIGSTOP handles signals only after SIGCONT.
    this.#signal('SIGCONT');
    const timeout = setTimeout(() => {
      say(`${name} did not stop within ${stop.graceMs / 1000} s: sending ${stop.thenSignal}.`);
      this.#signal(stop.thenSignal);
    }, stop.graceMs);
    await this.#exited;
    clearTimeout(timeout);
  }

  /** Ends a stop at once, without its timeout. */
  hurry(): void {
    if (this.#isStopping) this.#signal(this.#options.stop.thenSignal);
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) this.#child.kill(name);
  }

  #launch(): void {
    const child = this.#options.spawn();
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      // An 'error' without a pid means that the start failed: no 'exit' follows.
      child.once('error', (error) => {
        if (child.pid === undefined) resolve(this.#handleExit(error.message));
      });
      child.once('exit', (code, signal) =>
        resolve(this.#handleExit(signal ?? `exit code ${code}`)),
      );
    });
    if (child.pid !== undefined) this.#options.onChange(child.pid);
    void this.#watchReadiness(child);
  }

  async #watchReadiness(child: ChildProcess): Promise<void> {
    const { name, say, isReady } = this.#options;
    while (!(await isReady())) {
      if (this.#child !== child || this.#isStopping) return;
      await delay(PROBE_PERIOD_MS);
    }
    if (this.#child !== child || this.#isStopping) return;
    this.#isReady = true;
    this.#wasReady = true;
    const healthy = setTimeout(() => {
      if (this.#child === child) this.#deaths = 0;
    }, HEALTHY_AFTER_MS);
    healthy.unref();
    if (this.#deaths > 0) say(`${name} is ready again (process ${child.pid}).`);
    this.#resolveReady();
    await this.#watchLiveness(child);
  }

  async #watchLiveness(child: ChildProcess): Promise<void> {
    const { name, say, liveness } = this.#options;
    if (!liveness) return;
    for (let failures = 0; failures < liveness.failures; ) {
      const pause = delay(liveness.periodMs, undefined, { ref: false });
      const [isAlive] = await Promise.all([liveness.isAlive(), pause]);
      if (this.#child !== child || this.#isStopping) return;
      failures = isAlive ? 0 : failures + 1;
    }
    say(`${name} (process ${child.pid}) does not respond any more: it is killed.`);
    child.kill('SIGKILL');
  }

  #handleExit(reason: string): void {
    this.#child = undefined;
    this.#isReady = false;
    this.#options.onChange(undefined);
    if (this.#isStopping) return;
    const backoffMs = Math.min(MIN_BACKOFF_MS * 2 ** this.#deaths, MAX_BACKOFF_MS);
    this.#deaths += 1;
    if (!this.#wasReady && this.#deaths >= MAX_DEATHS_BEFORE_READY) {
      this.#rejectReady(new NeverReady(this.#options.name));
      return;
    }
    this.#options.say(
      `${this.#options.name} exited (${reason}). It is restarted in ${backoffMs} ms.`,
    );
    this.#retry = setTimeout(() => this.#launch(), backoffMs);
  }
}
