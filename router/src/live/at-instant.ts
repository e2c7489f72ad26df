/**
 * Node keeps a list for each delay, so thousands of far instants wait in steps that they share; and it
 * takes delays of more than 24 days for 1 ms.
 */
const MAX_DELAY_MS = 600_000;

/** Calls `work` at the instant, if there is one; returns what cancels it. */
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
