// What operators' commands share: a token, and one GraphQL call.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, toMessage } from '../command.mjs';
import { dataFolder, readInstance, runningSystem } from './running-system.mjs';

const TOKEN_LIFETIME = '1h';
const TIMEOUT_MS = 15_000;

/** The part of a command's --help on how it connects to the system. */
export const connectionHelp = `  --url <url>   the GraphQL address; without it that of the system that "npm start" runs here
                (SPACERENT_HOME names its data folder, .spacerent without it)

Environment: OPERATOR_TOKEN, a bearer token with the role "operator", as the identity provider of the
servers profile signs it. The embedded profile needs none: one is signed with the data folder's own
secret, or with AUTH_SECRET.`;

/**
 * Makes one GraphQL request and resolves with its data.
 *
 * @typedef {(query: string, variables?: Record<string, unknown>) => Promise<any>} GraphqlRequest
 */

/**
 * Connects to the running system. Both this and the requests throw {@link CommandError}.
 *
 * @param {{ url?: string | undefined, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<GraphqlRequest>}
 */
export async function connectOperator({ url, env = process.env }) {
  const home = dataFolder(env);
  const graphqlUrl = url ?? runningSystem(home).graphqlUrl;
  const token = env.OPERATOR_TOKEN || (await ownToken(url, home, env));

  return async function request(query, variables) {
    const { status, text } = await post(graphqlUrl, token, { query, variables });
    let response;
    try {
      response = JSON.parse(text);
    } catch {
      throw new CommandError(`${graphqlUrl} responds with HTTP ${status} and no JSON.`);
    }
    if (response.errors?.length > 0) {
      throw new CommandError(
        response.errors.map((/** @type {Error} */ { message }) => message).join('\n'),
      );
    }
    if (!response.data) throw new CommandError(`${graphqlUrl} is no GraphQL address.`);
    return response.data;
  };
}

/**
 * @param {string | undefined} url
 * @param {string} home
 * @param {NodeJS.ProcessEnv} env
 */
async function ownToken(url, home, env) {
  if (!url && readInstance(home)?.profile === 'servers') {
    throw new CommandError(
      'This system accepts tokens of its identity provider alone: set OPERATOR_TOKEN to one with the ' +
        'role "operator".',
    );
  }
  const { token } = await embeddedToken(home, env);
  return token;
}

/**
 * An operator's token that is signed here, and the secret that signed it: only the embedded profile accepts it.
 *
 * @param {string} home
 * @param {NodeJS.ProcessEnv} env
 */
export async function embeddedToken(home, env) {
  const secret = env.AUTH_SECRET || ownSecret(home);
  return { secret, token: await signToken(secret) };
}

/** @param {string} home */
function ownSecret(home) {
  const file = join(home, 'auth-secret');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new CommandError(
      `There is no secret in ${file}: set OPERATOR_TOKEN to a token of your identity provider with ` +
        'the role "operator".',
    );
  }
}

/** @param {string} secret */
async function signToken(secret) {
  const { SignJWT } = await import('jose').catch(() => {
    throw new CommandError('The packages are not installed: run "npm ci", or set OPERATOR_TOKEN.');
  });
  return new SignJWT({ roles: ['operator'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('operator')
    .setIssuedAt()
    .setExpirationTime(TOKEN_LIFETIME)
    .sign(new TextEncoder().encode(secret));
}

/**
 * @param {string} url
 * @param {string} token
 * @param {object} body
 */
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
    // fetch names the reason in the cause alone.
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new CommandError(`${url} does not respond: ${toMessage(cause)}.`);
  }
}
