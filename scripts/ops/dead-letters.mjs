// npm run ops -- dead-letters: what an operator does with events that a context could not process.
import { CommandError, parseOptions, UsageError } from '../command.mjs';
import { connectionHelp, connectOperator } from './operator-client.mjs';

/** @typedef {import('./operator-client.mjs').GraphqlRequest} GraphqlRequest */

export const help = `Usage: npm run ops -- dead-letters <command> [options]

  list                                     the parked events of every context, oldest first
  show <context> <event id>                one event, whole, and what it failed with
  replay <context> <event id> | --all      has the effect now, once; --all: of every parked event
  discard <context> <event id> --reason <text>
                                           never has its effect

A context is one of book, payment, space, mypage: the one that could not process the event.

  --context <context>   list: of one context alone
  --state <state>       list: PARKED, REPLAYING, REPLAYED or DISCARDED; without it those neither replayed nor discarded
  --reason <text>       discard: why
${connectionHelp}`;

/** How each context's GraphQL fields are named. */
const fields = {
  book: { list: 'bookDeadLetters', name: 'Book' },
  payment: { list: 'paymentDeadLetters', name: 'Payment' },
  space: { list: 'spaceDeadLetters', name: 'Space' },
  mypage: { list: 'myPageDeadLetters', name: 'MyPage' },
};
/** @typedef {keyof typeof fields} Context */
const contexts = /** @type {Context[]} */ (Object.keys(fields));

const LETTER = `eventId state type topic aggregateId version occurredAt correlationId payload
  failures error firstFailedAt lastFailedAt settledAt settledBy reason`;
const RESULT = `... on DeadLetterSuccess { deadLetter { eventId state } } ... on Problem { message }`;

/** @param {string[]} args */
export async function run(args) {
  const { values, positionals } = readOptions(args);
  const [command, context, eventId] = positionals;
  if (!command) return console.log(help);
  const request = await connectOperator({ url: values.url });
  switch (command) {
    case 'list':
      return list(request, values);
    case 'show':
      return show(request, requireContext(context), requireId(eventId));
    case 'replay':
      if (values.all) return replayAll(request, requireContext(context));
      return resolveLetter(request, 'replay', requireContext(context), requireId(eventId));
    case 'discard':
      if (!values.reason) throw new CommandError('Say why with --reason.');
      return resolveLetter(request, 'discard', requireContext(context), requireId(eventId), {
        reason: values.reason,
      });
    default:
      throw new UsageError(`There is no command "${command}".\n\n${help}`);
  }
}

/** @param {string[]} args */
function readOptions(args) {
  return parseOptions(help, {
    args,
    allowPositionals: true,
    options: {
      all: { type: 'boolean' },
      context: { type: 'string' },
      state: { type: 'string' },
      reason: { type: 'string' },
      url: { type: 'string' },
    },
  });
}

/** @param {string | undefined} context */
function requireContext(context) {
  const found = contexts.find((name) => name === context);
  if (found) return found;
  throw new CommandError(`Name the context: one of ${contexts.join(', ')}.`);
}

/** @param {string | undefined} eventId */
function requireId(eventId) {
  if (eventId) return eventId;
  throw new CommandError('Name the event by its id, as "list" shows it.');
}

/**
 * @param {GraphqlRequest} request
 * @param {{ context?: string | undefined, state?: string | undefined }} filter
 */
async function list(request, { context, state }) {
  let count = 0;
  for (const name of context ? [requireContext(context)] : contexts) {
    for await (const letter of readLetters(request, name, state)) {
      count += 1;
      const { eventId, type, failures, lastFailedAt, error } = letter;
      const [firstLine] = error.split('\n');
      console.log(`${name}  ${eventId}  ${letter.state}  ${type}`);
      console.log(`    ${failures} failures, the last at ${lastFailedAt}: ${firstLine}`);
    }
  }
  console.log(count === 0 ? 'There are none.' : `${count} in all.`);
}

/**
 * Every dead letter of a context, page by page.
 *
 * @param {GraphqlRequest} request
 * @param {Context} context
 * @param {string} [state]
 */
async function* readLetters(request, context, state) {
  const field = fields[context].list;
  const query = `query ($state: DeadLetterState, $after: String) {
    ${field}(state: $state, first: 100, after: $after) {
      edges { node { ${LETTER} } }
      pageInfo { hasNextPage endCursor }
    }
  }`;
  let after = null;
  do {
    const { [field]: page } = await request(query, { state, after });
    if (!page) throw new CommandError(`${context} does not respond.`);
    for (const { node } of page.edges) yield node;
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after);
}

/**
 * @param {GraphqlRequest} request
 * @param {Context} context
 * @param {string} eventId
 */
async function show(request, context, eventId) {
  for (const state of [undefined, 'REPLAYED', 'DISCARDED']) {
    for await (const letter of readLetters(request, context, state)) {
      if (letter.eventId !== eventId.toLowerCase()) continue;
      const { payload, error, ...others } = letter;
      for (const [name, value] of Object.entries(others)) {
        if (value !== null) console.log(`${name}: ${value}`);
      }
      console.log(`payload: ${JSON.stringify(JSON.parse(payload), undefined, 2)}`);
      console.log(`error: ${error}`);
      return;
    }
  }
  throw new CommandError(`${context} has no dead letter ${eventId}.`);
}

/**
 * @param {GraphqlRequest} request
 * @param {'replay' | 'discard'} action
 * @param {Context} context
 * @param {string} eventId
 * @param {{ reason?: string }} [more]
 */
async function resolveLetter(request, action, context, eventId, more = {}) {
  const field = `${action}${fields[context].name}DeadLetter`;
  const [types, args] = more.reason
    ? ['($eventId: ID!, $reason: String!)', '(eventId: $eventId, reason: $reason)']
    : ['($eventId: ID!)', '(eventId: $eventId)'];
  const query = `mutation ${types} { ${field}${args} { ${RESULT} } }`;
  const { [field]: result } = await request(query, { eventId, ...more });
  if (!result.deadLetter) throw new CommandError(`${eventId}: ${result.message}`);
  console.log(`${eventId}  ${result.deadLetter.state}`);
}

/**
 * @param {GraphqlRequest} request
 * @param {Context} context
 */
async function replayAll(request, context) {
  const ids = [];
  for await (const { eventId } of readLetters(request, context)) ids.push(eventId);
  let failed = 0;
  for (const eventId of ids) {
    try {
      await resolveLetter(request, 'replay', context, eventId);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failed += 1;
      console.error(error.message);
    }
  }
  console.log(`${ids.length - failed} of ${ids.length} replayed.`);
  if (failed > 0) process.exitCode = 1;
}
