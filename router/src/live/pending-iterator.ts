/** An iterator that yields nothing and stays pending until it is ended. */
export class PendingIterator implements AsyncGenerator<never> {
  #isEnded = false;
  #onReturn: (() => void) | undefined;
  #resolve: ((result: IteratorReturnResult<undefined>) => void) | undefined;
  readonly #finished = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    this.#resolve = resolve;
  });

  get isEnded(): boolean {
    return this.#isEnded;
  }

  end(): void {
    this.#isEnded = true;
    this.#resolve?.({ done: true, value: undefined });
  }

  /** Calls `work` when the consumer stops the iteration. */
  onReturn(work: () => void): void {
    this.#onReturn = work;
  }

  next(): Promise<IteratorResult<never>> {
    return this.#finished;
  }

  async return(): Promise<IteratorResult<never>> {
    this.#onReturn?.();
    this.end();
    return this.#finished;
  }

  throw(): Promise<IteratorResult<never>> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
