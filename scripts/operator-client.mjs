// What operators' commands share: finding the system, a token, and one GraphQL call.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const TOKEN_LIFE = '1h';
const TIMEOUT_MS = 15_000;

/** What went wrong, in a sentence for the operator; everything else is a fault of the command. */
export class OperatorError extends Error {}

/** The part of a command's --help that says how it finds the system. */
export const connectionHelp = `  --url <url>   the GraphQL address; without it that of the system that "npm start" runs here
                (SPACERENT_HOME names its data folder, .spacerent without it)

Environment: OPERATOR_TOKEN, a bearer token with the role "operator", as the identity provider of the
servers profile signs it. The embedded profile needs none: one is signed with the data folder's own
secret, or with AUTH_SECRET.`;

/**
 * Connects to the running system. Resolves with a function that makes one GraphQL call and resolves
 * with its data. Both throw {@link OperatorError}.
 */
export async function connectOperator({ url, env = process.env }) {
  const home = resolve(root, env.SPACERENT_HOME || '.spacerent');
  const graphqlUrl = url ?? runningSystem(home);
  const token = env.OPERATOR_TOKEN || (await embeddedToken(url, home, env));

  return async function ask(query, variables) {
    const { status, text } = await post(graphqlUrl, token, { query, variables });
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      throw new OperatorError(`${graphqlUrl} answers with HTTP ${status} and no JSON.`);
    }
    if (answer.errors?.length > 0) {
      throw new OperatorError(answer.errors.map(({ message }) => message).join('\n'));
    }
    if (!answer.data) throw new OperatorError(`${graphqlUrl} is no GraphQL address.`);
    return answer.data;
  };
}

/** Signed by ourselves, as only the embedded profile accepts it. */
function embeddedToken(url, home, env) {
  if (!url && instance(home)?.profile === 'servers') {
    throw new OperatorError(
      'This system accepts tokens of its identity provider alone: set OPERATOR_TOKEN to one with the ' +
        'role "operator".',
    );
  }
  return signToken(env.AUTH_SECRET || ownSecret(home));
}

function runningSystem(home) {
  const url = instance(home)?.graphqlUrl;
  if (url) return url;
  throw new OperatorError(
    `No spacerent runs on ${home}: start it with "npm start", name its folder in SPACERENT_HOME, ` +
      'or give its address with --url.',
  );
}

/** What the supervisor tells of the system that it runs, if it does. */
function instance(home) {
  try {
    return JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function ownSecret(home) {
  const file = join(home, 'auth-secret');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new OperatorError(
      `There is no secret in ${file}: set OPERATOR_TOKEN to a token of your identity provider with ` +
        'the role "operator".',
    );
  }
}

async function signToken(secret) {
  const { SignJWT } = await import('jose').catch(() => {
    throw new OperatorError('The packages are not installed: run "npm ci", or set OPERATOR_TOKEN.');
  });
  return new SignJWT({ roles: ['operator'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('operator')
    .setIssuedAt()
    .setExpirationTime(TOKEN_LIFE)
    .sign(new TextEncoder().encode(secret));
}

async function post(url, token, body) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new OperatorError(`${url} does not answer: ${error.cause?.message ?? error.message}.`);
  }
}
