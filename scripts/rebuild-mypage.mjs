// npm run rebuild:mypage: rebuilds the read model beside the live one, and shows how far it is.
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { requireNode } from './node-version.mjs';
import { connectionHelp, connectOperator, OperatorError } from './operator-client.mjs';

const help = `Usage: npm run rebuild:mypage -- [--accept-differences] [--url <url>]

Rebuilds mypage's read model from the events that book, payment and space have stored, beside the
live one and while bookings go on; compares both row by row, and switches when they are equal.
Ends with code 0 when the rebuilt one is live, else with 1. Ended with Ctrl-C, the rebuild goes on.

  --accept-differences
                switch even when they differ: this repairs a broken read model
${connectionHelp}`;

const REBUILD = `id state eventsRead eventsTotal viewsCompared differences differingBookingIds
  startedAt finishedAt message`;
const START = `mutation ($acceptDifferences: Boolean) {
  rebuildMyPage(acceptDifferences: $acceptDifferences) {
    ... on RebuildMyPageStarted { rebuild { ${REBUILD} } }
    ... on Problem { message }
  }
}`;
const LATEST = `{ myPageRebuild { ${REBUILD} } }`;

const POLL_MS = 500;
const LINE_EVERY_MS = 5_000;
/** mypage may be restarted meanwhile; its answer then says what became of the rebuild. */
const PATIENCE_MS = 60_000;

try {
  await main();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const options = readArguments();
  if (options.help) return console.log(help);
  requireNode();
  const ask = await connectOperator({ url: options.url });
  const acceptDifferences = options['accept-differences'] ?? false;
  const { rebuildMyPage } = await ask(START, { acceptDifferences });
  if (!rebuildMyPage.rebuild) throw new OperatorError(rebuildMyPage.message);

  const watchedSince = performance.now();
  const { rebuild, readMs } = await watch(ask, rebuildMyPage.rebuild, watchedSince);
  console.log(summaryOf(rebuild, readMs));
  process.exitCode = rebuild.state === 'SWITCHED' ? 0 : 1;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        'accept-differences': { type: 'boolean' },
        url: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new OperatorError(`${error.message}\n\n${help}`);
  }
}

/** Shows the progress until the rebuild has ended. `readMs`: how long reading the events took. */
async function watch(ask, started, since) {
  const show = process.stdout.isTTY ? updatedLine() : lineNowAndThen();
  let rebuild = started;
  let answeredAt = since;
  let readMs = 0;
  while (rebuild.finishedAt === null) {
    if (rebuild.state === 'BUILDING') readMs = performance.now() - since;
    show(progressOf(rebuild));
    await pause(POLL_MS);
    try {
      const { myPageRebuild } = await ask(LATEST);
      if (myPageRebuild?.id !== started.id) {
        throw new OperatorError('Another rebuild has begun since: this one is over.');
      }
      rebuild = myPageRebuild;
      answeredAt = performance.now();
    } catch (error) {
      if (performance.now() - answeredAt > PATIENCE_MS) throw error;
    }
  }
  show.end();
  return { rebuild, readMs };
}

function updatedLine() {
  const show = (line) => process.stdout.write(`\r\x1b[K${line}`);
  show.end = () => process.stdout.write('\r\x1b[K');
  return show;
}

function lineNowAndThen() {
  let shownAt = Number.NEGATIVE_INFINITY;
  const show = (line) => {
    if (performance.now() - shownAt < LINE_EVERY_MS) return;
    shownAt = performance.now();
    console.log(line);
  };
  show.end = () => {};
  return show;
}

function progressOf({ state, eventsRead, eventsTotal, viewsCompared, differences }) {
  if (state === 'BUILDING') {
    const share = eventsTotal > 0 ? Math.min(100, Math.floor((eventsRead / eventsTotal) * 100)) : 0;
    return `Reading events: ${number(eventsRead)} of about ${number(eventsTotal)} (${share} %)`;
  }
  return `Comparing: ${number(viewsCompared)} views, ${number(differences)} differ so far`;
}

function summaryOf(rebuild, readMs) {
  const { eventsRead, viewsCompared, differences, differingBookingIds } = rebuild;
  const seconds = (Date.parse(rebuild.finishedAt) - Date.parse(rebuild.startedAt)) / 1_000;
  const rate = Math.round(eventsRead / (Math.max(readMs, POLL_MS) / 1_000));
  const lines = [
    rebuild.message,
    `${number(eventsRead)} events read (about ${number(rate)} a second), ` +
      `${number(viewsCompared)} views compared, ${number(differences)} differ; ` +
      `${seconds.toFixed(1)} s in all.`,
  ];
  if (differingBookingIds.length > 0) lines.push(`Bookings: ${differingBookingIds.join(', ')}`);
  return lines.join('\n');
}

function number(value) {
  return value.toLocaleString('en-US');
}
