/** The signals that end a run early. */
export interface Interruption {
  signal: AbortSignal;
  /** Rejects as soon as a signal arrives; its caller stops what `work` has started. */
  orAbort<T>(work: Promise<T>): Promise<T>;
}

export function handleInterruption(): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => controller.abort(new Error('Interrupted.')));
  }
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  aborted.catch(() => {});
  return {
    signal,
    orAbort(work) {
      // After an interruption its errors are expected.
      work.catch(() => {});
      return Promise.race([work, aborted]);
    },
  };
}
