// npm run ops -- erase-customer: replaces a customer's id by a pseudonym in every context.
import { CommandError, parseOptions } from '../command.mjs';
import { connectionHelp, connectOperator } from './operator-client.mjs';

/** @typedef {import('./operator-client.mjs').GraphqlRequest} GraphqlRequest */

export const help = `Usage: npm run ops -- erase-customer --customer <id> --reason <text> [options]

Erases a customer's personal data: the id (the "sub" of the customer's tokens) is replaced by a random
pseudonym in bookings, payments, views, stored events, dead letters and audit logs, where the records
themselves stay. It cannot be undone. A customer with a booking that is not over is refused. Close the
customer's account at the identity provider first: who can still sign in can book again.

A command that was interrupted is simply repeated.

  --customer <id>   the customer
  --reason <text>   why; it is stored, so do not name the customer in it
${connectionHelp}`;

/** Book is last: it deletes the customer's link to the pseudonym, which all others need. */
const CONTEXTS = ['Payment', 'Space', 'MyPage', 'Book'];
const RESULT = `... on CustomerErasureSuccess { pseudonym replaced next }
  ... on CustomerNotErasable { message }`;

/** @param {string[]} args */
export async function run(args) {
  const { customer, reason, url } = readOptions(args);
  if (!customer) throw new CommandError('Name the customer with --customer.');
  if (!reason) throw new CommandError('Say why with --reason.');
  const request = await connectOperator({ url });

  const begin = `mutation ($customerId: ID!, $reason: String!) {
    result: beginCustomerErasure(customerId: $customerId, reason: $reason) { ${RESULT} }
  }`;
  const { pseudonym } = await step(request, begin, { customerId: customer, reason });
  console.log(`The customer becomes ${pseudonym}.`);
  for (const context of CONTEXTS) {
    const replaced = await erase(request, context, { customerId: customer, pseudonym });
    console.log(`${context.toLowerCase()}: ${replaced} rows`);
  }
  console.log('The customer is erased.');
}

/**
 * Resolves with the number of rows that were changed.
 *
 * @param {GraphqlRequest} request
 * @param {string} context
 * @param {{ customerId: string, pseudonym: string }} variables
 */
async function erase(request, context, variables) {
  const query = `mutation ($customerId: ID!, $pseudonym: ID!, $after: ID) {
    result: erase${context}Customer(customerId: $customerId, pseudonym: $pseudonym, after: $after) {
      ${RESULT}
    }
  }`;
  let total = 0;
  let after = null;
  do {
    const { replaced, next } = await step(request, query, { ...variables, after });
    total += replaced;
    after = next;
  } while (after);
  return total;
}

/**
 * @param {GraphqlRequest} request
 * @param {string} query
 * @param {Record<string, unknown>} variables
 */
async function step(request, query, variables) {
  const { result } = await request(query, variables);
  if (!result.pseudonym) throw new CommandError(result.message);
  return result;
}

/** @param {string[]} args */
function readOptions(args) {
  return parseOptions(help, {
    args,
    options: {
      customer: { type: 'string' },
      reason: { type: 'string' },
      url: { type: 'string' },
    },
  }).values;
}
