/**
 * Resolves or rejects as `work` does, or rejects after `ms`; `work` itself is not cancelled.
 *
 * @param what the subject of the error's sentence, or what makes an error of the caller's own
 */
export async function withTimeout<T>(
  ms: number,
  what: string | (() => Error),
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const toError = () =>
    typeof what === 'string' ? new Error(`${what} took longer than ${ms} ms`) : what();
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(toError()), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
