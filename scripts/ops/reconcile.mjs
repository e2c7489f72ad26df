// npm run ops -- reconcile: ends bookings that contradict after a database was restored to an earlier time.
import { CommandError, parseOptions } from '../command.mjs';
import { connectionHelp, connectOperator } from './operator-client.mjs';
import { parseSince, sinceHelp } from './since.mjs';

/**
 * @typedef {import('./operator-client.mjs').GraphqlRequest} GraphqlRequest
 * @typedef {{ bookingId: string, detail: string, remedy: string | null }} Contradiction
 */

export const help = `Usage: npm run ops -- reconcile --since <instant> [--apply --reason <text>] [options]

After book's database was restored to an earlier time: lists the bookings of which the contexts store
different things, and what would end them. With --apply it does that:

  CANCEL_LOST         book has lost the booking: it is cancelled, its registration ends, and what is left of
                      its charge is refunded
  CANCEL_AS_REFUNDED  book has lost the cancellation: it is repeated, with the refund that payment has
  -                   an operator must decide: docs/operations/backup.md

Each is an entry of the audit log. Without --apply nothing is changed.

${sinceHelp}
  --apply             ends the bookings that have a remedy
  --booking <id>      with --apply: only this one, such as when others have been used meanwhile
  --reason <text>     why, for the audit log; needed with --apply
${connectionHelp}`;

const LIST = `query ($since: DateTime!, $after: ID) {
  page: contradictions(since: $since, after: $after) {
    contradictions { bookingId detail remedy }
    next
  }
}`;
const RECONCILE = `mutation ($bookingId: ID!, $reason: String!) {
  result: reconcileBooking(bookingId: $bookingId, reason: $reason) {
    ... on ReconcileBookingSuccess { booking { id status } }
    ... on Problem { message }
  }
}`;

/** @param {string[]} args */
export async function run(args) {
  const { values } = parseOptions(help, {
    args,
    options: {
      since: { type: 'string' },
      apply: { type: 'boolean', default: false },
      booking: { type: 'string' },
      reason: { type: 'string' },
      url: { type: 'string' },
    },
  });
  const since = parseSince(values.since);
  if (values.apply && !values.reason) throw new CommandError('Say why with --reason.');
  const request = await connectOperator({ url: values.url });
  const found = await list(request, since);
  for (const { bookingId, remedy, detail } of found) {
    console.log(`${bookingId}  ${(remedy ?? '-').padEnd(18)}  ${detail}`);
  }
  const endable = found.filter(({ remedy }) => remedy !== null);
  const chosen = endable.filter(({ bookingId }) => (values.booking ?? bookingId) === bookingId);
  if (values.booking && chosen.length === 0) {
    throw new CommandError(`The booking ${values.booking} is not among those that have a remedy.`);
  }
  if (values.apply) await apply(request, chosen, values.reason ?? '');
  const ended = values.apply ? `${chosen.length} of them were ended` : 'they end with --apply';
  console.log(
    `${found.length} bookings contradict. ${endable.length} have a remedy: ${ended}. ` +
      `${found.length - endable.length} need a decision.`,
  );
}

/**
 * @param {GraphqlRequest} request
 * @param {string} since
 */
async function list(request, since) {
  /** @type {Contradiction[]} */
  const found = [];
  let after = null;
  do {
    const { page } = await request(LIST, { since, after });
    found.push(...page.contradictions);
    after = page.next;
  } while (after);
  return found;
}

/**
 * @param {GraphqlRequest} request
 * @param {Contradiction[]} endable
 * @param {string} reason
 */
async function apply(request, endable, reason) {
  let failed = 0;
  for (const { bookingId } of endable) {
    const { result } = await request(RECONCILE, { bookingId, reason });
    if (result.booking) continue;
    failed += 1;
    console.error(`${bookingId}: ${result.message}`);
  }
  if (failed > 0) {
    throw new CommandError(`${failed} of ${endable.length} bookings could not be ended.`);
  }
}
