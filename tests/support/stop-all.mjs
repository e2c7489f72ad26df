const ENDS_WITHIN_MS = 20_000;

/** Ends what the global set-ups started, last first. */
export default async function stopAll() {
  globalThis.stopAll ??= [];
  for (let stop = globalThis.stopAll.pop(); stop; stop = globalThis.stopAll.pop()) await stop();
  globalThis.endWatched ??= watchEnd();
}

/** Nothing may keep a finished run from ending: what does is a leak, and fails it. */
function watchEnd() {
  // Node 20 can wait for ever for a connection attempt that was given up, once all else has ended: its
  // clean-up spins. Leaving before it begins, when nothing is left to do, hides no leak.
  process.once('beforeExit', () => process.exit());
  setTimeout(() => {
    console.error(`The tests have left something open: ${process.getActiveResourcesInfo()}`);
    process.exit(1);
  }, ENDS_WITHIN_MS).unref();
  return true;
}
