// A real OpenID provider on loopback, as a process of its own. It sends its issuer over the channel to its
// parent. The messages "publish", "sign" and "withdraw" rotate its key step by step, "rotate" at once;
// "keyRequests" returns the number of requests for its keys.
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

/** Published, the signing one first. @type {object[]} */
let keys = [];
let number = 0;

async function createKey() {
  number += 1;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: `key-${number}`, alg: 'RS256', use: 'sig' };
}

/** Starts a provider with the keys; sessions and grants stay, because they are stored elsewhere. */
function useKeys() {
  const provider = new Provider(issuer, {
    jwks: { keys },
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

/** @type {Record<string, () => Promise<void> | void>} */
const steps = {
  publish: async () => void keys.push(await createKey()),
  sign: () => void keys.reverse(),
  withdraw: () => void keys.pop(),
  async rotate() {
    keys = [await createKey()];
  },
};
process.on('message', async (message) => {
  const step = steps[String(message)];
  if (step) {
    await step();
    useKeys();
  }
  process.send?.({ keyRequests });
});
process.on('disconnect', () => process.exit());
await steps.rotate?.();
useKeys();
process.send?.({ issuer });
