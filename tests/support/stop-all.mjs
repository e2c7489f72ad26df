const END_TIMEOUT_MS = 20_000;

/**
 * What the global set-ups started. They and the tear-down run in one process, which loads this module once.
 *
 * @type {(() => unknown)[]}
 */
const steps = [];
let isEndWatched = false;

/**
 * Runs the step at the end of all tests, before those that were given earlier.
 *
 * @param {() => unknown} step
 */
export function stopAtEnd(step) {
  steps.push(step);
}

/** Stops what the global set-ups started, last first. */
export default async function stopAll() {
  for (let stop = steps.pop(); stop; stop = steps.pop()) await stop();
  if (!isEndWatched) failUnlessEnded();
  isEndWatched = true;
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
}
