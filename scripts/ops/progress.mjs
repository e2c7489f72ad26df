// How a long command shows its progress: one line that changes, or in a log a line now and then.

const LINE_PERIOD_MS = 5_000;

/** Returns the function that shows a line; its `end` clears it. */
export function progressLine() {
  return process.stdout.isTTY ? updatedLine() : occasionalLine();
}

function updatedLine() {
  const show = (/** @type {string} */ line) => process.stdout.write(`\r\x1b[K${line}`);
  show.end = () => process.stdout.write('\r\x1b[K');
  return show;
}

function occasionalLine() {
  let shownAt = Number.NEGATIVE_INFINITY;
  const show = (/** @type {string} */ line) => {
    if (performance.now() - shownAt < LINE_PERIOD_MS) return;
    shownAt = performance.now();
    console.log(line);
  };
  show.end = () => {};
  return show;
}
