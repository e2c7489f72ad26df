// npm run dead-letters: what an operator does with events that a context could not take.
import { parseArgs } from 'node:util';
import { requireNode } from './node-version.mjs';
import { connectionHelp, connectOperator, OperatorError } from './operator-client.mjs';

const help = `Usage: npm run dead-letters -- <command> [options]

  list                                     the parked events of every context, oldest first
  show <context> <event id>                one event, whole, and what it failed with
  replay <context> <event id> | --all      has the effect now, once; --all: of every parked event
  discard <context> <event id> --reason <text>
                                           never has its effect

A context is one of book, payment, space, mypage: the one that could not take the event.

  --context <context>   list: of one context alone
  --state <state>       list: PARKED, REPLAYING, REPLAYED or DISCARDED; without it those to be settled
  --reason <text>       discard: why
${connectionHelp}`;

/** How each context's GraphQL fields are named. */
const fields = {
  book: { list: 'bookDeadLetters', name: 'Book' },
  payment: { list: 'paymentDeadLetters', name: 'Payment' },
  space: { list: 'spaceDeadLetters', name: 'Space' },
  mypage: { list: 'myPageDeadLetters', name: 'MyPage' },
};
const contexts = Object.keys(fields);

const LETTER = `eventId state type topic aggregateId version occurredAt correlationId payload
  failures error firstFailedAt lastFailedAt settledAt settledBy reason`;
const RESULT = `... on DeadLetterSuccess { deadLetter { eventId state } } ... on Problem { message }`;

try {
  await main();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = readArguments();
  const [command, context, eventId] = positionals;
  if (values.help || !command) return console.log(help);
  requireNode();
  const ask = await connectOperator({ url: values.url });
  switch (command) {
    case 'list':
      return list(ask, values);
    case 'show':
      return show(ask, known(context), required(eventId));
    case 'replay':
      if (values.all) return replayAll(ask, known(context));
      return settle(ask, `replay${fields[known(context)].name}DeadLetter`, required(eventId));
    case 'discard':
      if (!values.reason) throw new OperatorError('Say why with --reason.');
      return settle(ask, `discard${fields[known(context)].name}DeadLetter`, required(eventId), {
        reason: values.reason,
      });
    default:
      throw new OperatorError(`There is no command "${command}".\n\n${help}`);
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        all: { type: 'boolean' },
        context: { type: 'string' },
        state: { type: 'string' },
        reason: { type: 'string' },
        url: { type: 'string' },
      },
    });
  } catch (error) {
    throw new OperatorError(`${error.message}\n\n${help}`);
  }
}

function known(context) {
  if (contexts.includes(context)) return context;
  throw new OperatorError(`Name the context: one of ${contexts.join(', ')}.`);
}

function required(eventId) {
  if (eventId) return eventId;
  throw new OperatorError('Name the event by its id, as "list" shows it.');
}

async function list(ask, { context, state }) {
  let count = 0;
  for (const name of context ? [known(context)] : contexts) {
    for await (const letter of lettersOf(ask, name, state)) {
      count += 1;
      const { eventId, type, failures, lastFailedAt, error } = letter;
      const [firstLine] = error.split('\n');
      console.log(`${name}  ${eventId}  ${letter.state}  ${type}`);
      console.log(`    ${failures} failures, the last at ${lastFailedAt}: ${firstLine}`);
    }
  }
  console.log(count === 0 ? 'There are none.' : `${count} in all.`);
}

/** Every dead letter of a context, page by page. */
async function* lettersOf(ask, context, state) {
  const field = fields[context].list;
  const query = `query ($state: DeadLetterState, $after: String) {
    ${field}(state: $state, first: 100, after: $after) {
      edges { node { ${LETTER} } }
      pageInfo { hasNextPage endCursor }
    }
  }`;
  let after = null;
  do {
    const { [field]: page } = await ask(query, { state, after });
    if (!page) throw new OperatorError(`${context} does not answer.`);
    for (const { node } of page.edges) yield node;
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after);
}

async function show(ask, context, eventId) {
  for (const state of [undefined, 'REPLAYED', 'DISCARDED']) {
    for await (const letter of lettersOf(ask, context, state)) {
      if (letter.eventId !== eventId.toLowerCase()) continue;
      const { payload, error, ...facts } = letter;
      for (const [name, value] of Object.entries(facts)) {
        if (value !== null) console.log(`${name}: ${value}`);
      }
      console.log(`payload: ${JSON.stringify(JSON.parse(payload), undefined, 2)}`);
      console.log(`error: ${error}`);
      return;
    }
  }
  throw new OperatorError(`${context} has no dead letter ${eventId}.`);
}

async function settle(ask, field, eventId, more = {}) {
  const [types, args] = more.reason
    ? ['($eventId: ID!, $reason: String!)', '(eventId: $eventId, reason: $reason)']
    : ['($eventId: ID!)', '(eventId: $eventId)'];
  const query = `mutation ${types} { ${field}${args} { ${RESULT} } }`;
  const { [field]: result } = await ask(query, { eventId, ...more });
  if (!result.deadLetter) throw new OperatorError(`${eventId}: ${result.message}`);
  console.log(`${eventId}  ${result.deadLetter.state}`);
}

async function replayAll(ask, context) {
  const ids = [];
  for await (const { eventId } of lettersOf(ask, context)) ids.push(eventId);
  let failed = 0;
  for (const eventId of ids) {
    try {
      await settle(ask, `replay${fields[context].name}DeadLetter`, eventId);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      failed += 1;
      console.error(error.message);
    }
  }
  console.log(`${ids.length - failed} of ${ids.length} replayed.`);
  if (failed > 0) process.exitCode = 1;
}
