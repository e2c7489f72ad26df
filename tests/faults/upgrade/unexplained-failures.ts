import type { RouterClient } from '../load/router-client.ts';

/** Collects requests that failed although no process was being replaced. */
export class UnexplainedFailures {
  readonly messages: string[] = [];
  #runningSteps = 0;
  #startedSteps = 0;

  /** Failures of requests that overlap with the step are expected. */
  async expectDuring<T>(step: () => Promise<T>): Promise<T> {
    this.#runningSteps += 1;
    this.#startedSteps += 1;
    try {
      return await step();
    } finally {
      this.#runningSteps -= 1;
    }
  }

  /** Wraps a client, whose failures are recorded. */
  watch(router: RouterClient): RouterClient {
    return {
      execute: (user, query, variables) =>
        this.#watchRequest(() => router.execute(user, query, variables)),
      close: () => router.close(),
    };
  }

  async #watchRequest<T>(request: () => Promise<T>): Promise<T> {
    const startedBefore = this.#startedSteps;
    const isUndisturbed = this.#runningSteps === 0;
    try {
      return await request();
    } catch (error) {
      const { name, message } = error as Error;
      // A slow machine does not show a defect of the upgrade.
      const isTimeout = /abort|timeout/i.test(`${name} ${message}`);
      if (isUndisturbed && this.#startedSteps === startedBefore && !isTimeout) {
        this.messages.push(message);
      }
      throw error;
    }
  }
}
