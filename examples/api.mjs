// What the examples share: the address, a token, and one GraphQL request.

/** The address that `npm start` prints. */
export const url = process.env.SPACERENT_URL ?? 'http://localhost:4000/graphql';

/**
 * The customer's token: TOKEN, or one that the embedded profile gives to anyone who requests it.
 *
 * @returns {Promise<string>}
 */
export async function signIn(user = process.env.CUSTOMER ?? 'kim') {
  if (process.env.TOKEN) return process.env.TOKEN;
  const response = await fetch(new URL('/dev/token', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, roles: ['customer'] }),
  });
  if (!response.ok) throw new Error(`No development token: HTTP ${response.status}. Set TOKEN.`);
  const { token } = /** @type {{ token: string }} */ (await response.json());
  return token;
}

/**
 * Sends a query or a mutation, and resolves with its data. A refusal is data; an error is thrown.
 *
 * @param {string} token
 * @param {string} query
 * @param {object} [variables]
 * @returns {Promise<any>}
 */
export async function graphql(token, query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } =
    /** @type {{ data?: unknown, errors?: { message: string, extensions: { code: string } }[] }} */ (
      await response.json()
    );
  if (errors) {
    throw new Error(errors.map((each) => `${each.extensions.code}: ${each.message}`).join('\n'));
  }
  return data;
}
