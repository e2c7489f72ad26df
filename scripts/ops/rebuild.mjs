// npm run ops -- rebuild: rebuilds the read model next to the live one, and shows its progress.
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, parseOptions } from '../command.mjs';
import { connectionHelp, connectOperator } from './operator-client.mjs';
import { progressLine } from './progress.mjs';

/**
 * @typedef {import('./operator-client.mjs').GraphqlRequest} GraphqlRequest
 * @typedef {{
 *   id: string, state: string, eventsRead: number, eventsTotal: number, viewsCompared: number,
 *   differences: number, differingBookingIds: string[], startedAt: string,
 *   finishedAt: string | null, message: string,
 * }} Rebuild
 */

export const help = `Usage: npm run ops -- rebuild [--accept-differences] [--url <url>]

Rebuilds mypage's read model from the events that book, payment and space have stored, next to the
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
/** mypage may restart during a rebuild; its next response then contains the state of the rebuild. */
const NO_RESPONSE_TIMEOUT_MS = 60_000;

/** @param {string[]} args */
export async function run(args) {
  const options = readOptions(args);
  const request = await connectOperator({ url: options.url });
  const acceptDifferences = options['accept-differences'] ?? false;
  const { rebuildMyPage } = await request(START, { acceptDifferences });
  if (!rebuildMyPage.rebuild) throw new CommandError(rebuildMyPage.message);

  const watchedSince = performance.now();
  const { rebuild, readMs } = await watch(request, rebuildMyPage.rebuild, watchedSince);
  console.log(toSummary(rebuild, readMs));
  process.exitCode = rebuild.state === 'SWITCHED' ? 0 : 1;
}

/** @param {string[]} args */
function readOptions(args) {
  return parseOptions(help, {
    args,
    options: { 'accept-differences': { type: 'boolean' }, url: { type: 'string' } },
  }).values;
}

/**
 * Shows the progress until the rebuild has ended. `readMs`: how long reading the events took.
 *
 * @param {GraphqlRequest} request
 * @param {Rebuild} started
 * @param {number} since
 */
async function watch(request, started, since) {
  const show = progressLine();
  let rebuild = started;
  let respondedAt = since;
  let readMs = 0;
  while (rebuild.finishedAt === null) {
    if (rebuild.state === 'BUILDING') readMs = performance.now() - since;
    show(toProgress(rebuild));
    await pause(POLL_MS);
    try {
      const { myPageRebuild } = await request(LATEST);
      if (myPageRebuild?.id !== started.id) {
        throw new CommandError('Another rebuild has begun since: this one is over.');
      }
      rebuild = myPageRebuild;
      respondedAt = performance.now();
    } catch (error) {
      if (performance.now() - respondedAt > NO_RESPONSE_TIMEOUT_MS) throw error;
    }
  }
  show.end();
  return { rebuild, readMs };
}

/** @param {Rebuild} rebuild */
function toProgress({ state, eventsRead, eventsTotal, viewsCompared, differences }) {
  if (state === 'BUILDING') {
    const share = eventsTotal > 0 ? Math.min(100, Math.floor((eventsRead / eventsTotal) * 100)) : 0;
    return `Reading events: ${number(eventsRead)} of about ${number(eventsTotal)} (${share} %)`;
  }
  return `Comparing: ${number(viewsCompared)} views, ${number(differences)} differ so far`;
}

/**
 * @param {Rebuild} rebuild
 * @param {number} readMs
 */
function toSummary(rebuild, readMs) {
  const { eventsRead, viewsCompared, differences, differingBookingIds } = rebuild;
  const seconds =
    (Date.parse(rebuild.finishedAt ?? rebuild.startedAt) - Date.parse(rebuild.startedAt)) / 1_000;
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

/** @param {number} value */
function number(value) {
  return value.toLocaleString('en-US');
}
