// npm run ops -- redeliver: sends events again to a context whose database was restored to an earlier time.
import { CommandError, parseOptions } from '../command.mjs';
import { connectionHelp, connectOperator } from './operator-client.mjs';
import { parseSince, sinceHelp } from './since.mjs';

/** @typedef {import('./operator-client.mjs').GraphqlRequest} GraphqlRequest */

export const help = `Usage: npm run ops -- redeliver --to <context> --since <instant> [options]

After the database of a context was restored to an earlier time: has the others send it what they have
published since. Each event is compared with the context's inbox first, so that only those that it has lost
are sent, and nothing is processed twice. Safe to repeat.

  --to <context>      book, payment, space or mypage: the one that was restored
${sinceHelp}
${connectionHelp}`;

/** The publishing contexts, as their fields are named. */
const PUBLISHERS = ['Book', 'Payment', 'Space'];

/** @param {string[]} args */
export async function run(args) {
  const { values } = parseOptions(help, {
    args,
    options: { to: { type: 'string' }, since: { type: 'string' }, url: { type: 'string' } },
  });
  if (!values.to) throw new CommandError('Name the context that was restored with --to.');
  const since = parseSince(values.since);
  const request = await connectOperator({ url: values.url });
  for (const publisher of PUBLISHERS) {
    if (publisher.toLowerCase() === values.to) continue;
    const events = await redeliver(request, publisher, values.to, since);
    console.log(`${publisher.toLowerCase()}: ${events.toLocaleString('en-US')} events`);
  }
  console.log(`Those that ${values.to} has lost reach it now; the others are acknowledged again.`);
}

/**
 * Resolves with the number of events that await the consumer once more.
 *
 * @param {GraphqlRequest} request
 * @param {string} publisher
 * @param {string} consumer
 * @param {string} since
 */
async function redeliver(request, publisher, consumer, since) {
  const query = `mutation ($consumer: String!, $since: DateTime!, $after: String) {
    page: redeliver${publisher}Events(consumer: $consumer, since: $since, after: $after) { events next }
  }`;
  let total = 0;
  let after = null;
  do {
    const { page } = await request(query, { consumer, since, after });
    total += page.events;
    after = page.next;
  } while (after);
  return total;
}
