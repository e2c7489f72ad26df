// A real OpenID provider on loopback, as a process of its own. It sends its issuer over the channel to its
// parent. The message "rotate" replaces its signing key; "keyRequests" returns the number of requests for
// its keys.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
// @ts-expect-error: the package has no types
import UntypedProvider from 'oidc-provider';

/** @typedef {import('node:http').RequestListener} RequestListener */

/** @type {new (issuer: string, configuration: object) => { callback(): RequestListener }} */
const Provider = UntypedProvider;

const { CLIENT_ID, REDIRECT_URI, AUDIENCE } = process.env;
/** @type {Record<string, string[]>} */
const ROLES = { 'kim-by-openid': ['customer', 'offline_access'], hana: ['host'] };

/** @type {RequestListener | undefined} */
let handle;
let keyRequests = 0;
const server = createServer((request, response) => {
  if (request.url === '/jwks') keyRequests += 1;
  handle?.(request, response);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const issuer = `http://127.0.0.1:${port}`;

/**
 * Starts a provider with a new key; sessions and grants stay, because they are stored elsewhere.
 *
 * @param {string} kid
 */
async function replaceKey(kid) {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    cookies: { keys: ['a key of this test alone'] },
    clients: [
      {
        client_id: CLIENT_ID,
        redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: 'none',
        application_type: 'native',
      },
    ],
    pkce: { required: () => true },
    findAccount: (/** @type {unknown} */ _context, /** @type {string} */ sub) => ({
      accountId: sub,
      claims: () => ({ sub }),
    }),
    extraTokenClaims: (
      /** @type {unknown} */ _context,
      /** @type {{ accountId: string }} */ { accountId },
    ) => ({
      realm_access: { roles: ROLES[accountId] ?? [] },
    }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'bookings',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  handle = provider.callback();
}

let number = 1;
process.on('message', async (message) => {
  if (message === 'rotate') {
    number += 1;
    await replaceKey(`key-${number}`);
    process.send?.({ rotated: number });
  } else {
    process.send?.({ keyRequests });
  }
});
process.on('disconnect', () => process.exit());
await replaceKey('key-1');
process.send?.({ issuer });
