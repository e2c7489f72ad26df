import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 100;

/** Polls until the check returns something, and resolves with that; rejects after `seconds`. */
export async function waitUntil<T>(
  condition: string,
  seconds: number,
  check: () => Promise<T | false | null | undefined>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Not within ${seconds} s: ${condition}.`);
    await pause(POLL_MS);
  }
}
