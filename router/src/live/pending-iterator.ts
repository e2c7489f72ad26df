/** Yields nothing, and goes on until it is ended. */
export class Endless implements AsyncGenerator<never> {
  #isOver = false;
  #onReturn: (() => void) | undefined;
  #finish: ((result: IteratorReturnResult<undefined>) => void) | undefined;
  readonly #finished = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    this.#finish = resolve;
  });

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#finish?.({ done: true, value: undefined });
  }

  /** Does the work when whoever reads it wants no more. */
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
