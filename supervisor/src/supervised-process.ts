import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

const firstBackoffMs = 200;
const longestBackoffMs = 10_000;
const healthyAfterMs = 30_000;
const probeEveryMs = 50;
const hopelessAfterDeaths = 6;

export type Supervision = {
  name: string;
  spawn: () => ChildProcess;
  /** Asked again and again while the process runs, until it answers true. */
  isReady: () => Promise<boolean>;
  stop: { signal: NodeJS.Signals; graceMs: number; thenSignal: NodeJS.Signals };
  /** The pid after each start, undefined after each end. */
  onChange: (pid: number | undefined) => void;
  say: (line: string) => void;
};

/** It kept dying without having been ready once; trying on would only hide why. */
export class NeverReady extends Error {
  readonly processName: string;
  constructor(processName: string) {
    super(`${processName} ended ${hopelessAfterDeaths} times without getting ready.`);
    this.processName = processName;
  }
}

/** Keeps one process running until told to stop: after a death it is started again, ever later. */
export class SupervisedProcess {
  readonly #of: Supervision;
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
    this.#of = supervision;
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
    const { name, stop, say } = this.#of;
    this.#isStopping = true;
    clearTimeout(this.#retry);
    this.#signal(stop.signal);
    // A stopped (SIGSTOP) process does not act on a signal before it goes on.
    this.#signal('SIGCONT');
    const late = setTimeout(() => {
      say(`${name} did not stop within ${stop.graceMs / 1000} s: ending it (${stop.thenSignal}).`);
      this.#signal(stop.thenSignal);
    }, stop.graceMs);
    await this.#exited;
    clearTimeout(late);
  }

  /** Ends a stop that takes too long for somebody. */
  hurry(): void {
    if (this.#isStopping) this.#signal(this.#of.stop.thenSignal);
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) this.#child.kill(name);
  }

  #launch(): void {
    const child = this.#of.spawn();
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      // 'error' without a pid: it could not be started, and there will be no 'exit'.
      child.once('error', (error) => {
        if (child.pid === undefined) resolve(this.#ended(error.message));
      });
      child.once('exit', (code, signal) => resolve(this.#ended(signal ?? `exit code ${code}`)));
    });
    if (child.pid !== undefined) this.#of.onChange(child.pid);
    void this.#watchReadiness(child);
  }

  async #watchReadiness(child: ChildProcess): Promise<void> {
    const { name, say, isReady } = this.#of;
    while (!(await isReady())) {
      if (this.#child !== child || this.#isStopping) return;
      await delay(probeEveryMs);
    }
    if (this.#child !== child || this.#isStopping) return;
    this.#isReady = true;
    this.#wasReady = true;
    const healthy = setTimeout(() => {
      if (this.#child === child) this.#deaths = 0;
    }, healthyAfterMs);
    healthy.unref();
    if (this.#deaths > 0) say(`${name} is back (process ${child.pid}).`);
    this.#resolveReady();
  }

  #ended(reason: string): void {
    this.#child = undefined;
    this.#isReady = false;
    this.#of.onChange(undefined);
    if (this.#isStopping) return;
    const backoffMs = Math.min(firstBackoffMs * 2 ** this.#deaths, longestBackoffMs);
    this.#deaths += 1;
    if (!this.#wasReady && this.#deaths >= hopelessAfterDeaths) {
      this.#rejectReady(new NeverReady(this.#of.name));
      return;
    }
    this.#of.say(`${this.#of.name} ended (${reason}): starting it again in ${backoffMs} ms.`);
    this.#retry = setTimeout(() => this.#launch(), backoffMs);
  }
}
