// npm run ops -- token: a development token of the system that `npm start` runs here.
import { CommandError, parseOptions, toMessage } from '../command.mjs';
import { dataFolder, runningSystem } from './running-system.mjs';

export const help = `Usage: npm run ops -- token [options]

Prints a development token, which POST /dev/token of the embedded profile gives to anyone. For example:
  TOKEN=$(npm run --silent ops -- token --user kim)

  --user <id>    the user's id, the "sub" of the token (default kim)
  --role <role>  customer (default), host or operator; may be repeated
  --url <url>    the GraphQL address; without it that of the system that "npm start" runs here
                 (SPACERENT_HOME names its data folder, .spacerent without it)`;

/** @param {string[]} args */
export async function run(args) {
  const { values } = parseOptions(help, {
    args,
    options: {
      user: { type: 'string', default: 'kim' },
      role: { type: 'string', multiple: true, default: ['customer'] },
      url: { type: 'string' },
    },
  });
  const graphqlUrl = values.url ?? runningSystem(dataFolder()).graphqlUrl;
  console.log(await requestToken(graphqlUrl, values.user, values.role));
}

/**
 * @param {string} graphqlUrl
 * @param {string} user
 * @param {string[]} roles
 * @returns {Promise<string>}
 */
async function requestToken(graphqlUrl, user, roles) {
  const url = new URL('/dev/token', graphqlUrl).href;
  let response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, roles }),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new CommandError(`${url} does not respond: ${toMessage(cause)}.`);
  }
  if (response.status === 404) {
    throw new CommandError(
      `${url} does not exist: the servers profile accepts tokens of its identity provider alone.`,
    );
  }
  const { token, message } = /** @type {{ token: string, message?: string }} */ (
    await response.json()
  );
  if (!response.ok) throw new CommandError(message ?? `${url} responds with ${response.status}.`);
  return token;
}
