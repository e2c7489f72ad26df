/**
 * Node keeps one timer list for each distinct delay, so that thousands of distant instants wait in equal
 * steps; and it treats delays above 24 days as 1 ms.
 */
const MAX_DELAY_MS = 600_000;

/** Calls `work` at the instant, if there is one; returns the function that cancels it. */
export function atInstant(instant: Date | null | undefined, work: () => void): () => void {
  if (!instant) return () => {};
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = instant.getTime() - Date.now();
    timer = left <= MAX_DELAY_MS ? setTimeout(work, left) : setTimeout(wait, MAX_DELAY_MS);
  };
  wait();
  return () => clearTimeout(timer);
}
