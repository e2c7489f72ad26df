// npm run erase-customer: replaces a customer's id by a pseudonym in every context.
import { parseArgs } from 'node:util';
import { requireNode } from './node-version.mjs';
import { connectionHelp, connectOperator, OperatorError } from './operator-client.mjs';

const help = `Usage: npm run erase-customer -- --customer <id> --reason <text> [options]

Erases a customer's personal data: the id (the "sub" of the customer's tokens) is replaced by a random
pseudonym in bookings, payments, views, stored events, dead letters and audit logs, where the records
themselves stay. It cannot be undone. A customer with a booking that is not over is refused. Close the
customer's account at the identity provider first: who can still sign in can book again.

A command that was interrupted is simply repeated.

  --customer <id>   whom
  --reason <text>   why; it is kept, so do not name the customer in it
${connectionHelp}`;

/** Book is last: it forgets whose pseudonym it is when all others are done. */
const CONTEXTS = ['Payment', 'Space', 'MyPage', 'Book'];
const RESULT = `... on CustomerErasureSuccess { pseudonym replaced next }
  ... on CustomerNotErasable { message }`;

try {
  await main();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { help: isHelp, customer, reason, url } = readArguments();
  if (isHelp) return console.log(help);
  if (!customer) throw new OperatorError('Name the customer with --customer.');
  if (!reason) throw new OperatorError('Say why with --reason.');
  requireNode();
  const ask = await connectOperator({ url });

  const begin = `mutation ($customerId: ID!, $reason: String!) {
    result: beginCustomerErasure(customerId: $customerId, reason: $reason) { ${RESULT} }
  }`;
  const { pseudonym } = await step(ask, begin, { customerId: customer, reason });
  console.log(`The customer becomes ${pseudonym}.`);
  for (const context of CONTEXTS) {
    const replaced = await erase(ask, context, { customerId: customer, pseudonym });
    console.log(`${context.toLowerCase()}: ${replaced} rows`);
  }
  console.log('The customer is erased.');
}

async function erase(ask, context, variables) {
  const query = `mutation ($customerId: ID!, $pseudonym: ID!, $after: ID) {
    result: erase${context}Customer(customerId: $customerId, pseudonym: $pseudonym, after: $after) {
      ${RESULT}
    }
  }`;
  let total = 0;
  let after = null;
  do {
    const { replaced, next } = await step(ask, query, { ...variables, after });
    total += replaced;
    after = next;
  } while (after);
  return total;
}

async function step(ask, query, variables) {
  const { result } = await ask(query, variables);
  if (!result.pseudonym) throw new OperatorError(result.message);
  return result;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        customer: { type: 'string' },
        reason: { type: 'string' },
        url: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new OperatorError(`${error.message}\n\n${help}`);
  }
}
