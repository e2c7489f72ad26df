const END_TIMEOUT_MS = 20_000;

/** Stops what the global set-ups started, last first. */
export default async function stopAll() {
  globalThis.stopAll ??= [];
  for (let stop = globalThis.stopAll.pop(); stop; stop = globalThis.stopAll.pop()) await stop();
  globalThis.isEndWatched ??= failUnlessEnded();
}

/** Fails a finished run that does not end: something open is a leak. */
function failUnlessEnded() {
  // The clean-up of Node 20 can spin for ever on an abandoned connection attempt. Exiting before the
  // clean-up hides no leak, because nothing is left to do by then.
  process.once('beforeExit', () => process.exit());
  setTimeout(() => {
    console.error(`The tests have left something open: ${process.getActiveResourcesInfo()}`);
    process.exit(1);
  }, END_TIMEOUT_MS).unref();
  return true;
}
