/** Longer delays than this Node takes for 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Calls `work` at the instant, if there is one; returns what cancels it. */
export function atInstant(instant: Date | null | undefined, work: () => void): () => void {
  if (!instant) return () => {};
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = instant.getTime() - Date.now();
    timer = left <= LONGEST_DELAY_MS ? setTimeout(work, left) : setTimeout(wait, LONGEST_DELAY_MS);
  };
  wait();
  return () => clearTimeout(timer);
}
