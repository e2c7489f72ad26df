// A real OpenID provider on loopback, as a process of its own. It sends its issuer over the channel to its
// parent. The message "rotate" replaces its signing key; "keyRequests" returns the number of requests for
// its keys.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const { CLIENT_ID, REDIRECT_URI, AUDIENCE } = process.env;
const ROLES = { 'kim-by-openid': ['customer', 'offline_access'], hana: ['host'] };

let handle;
let keyRequests = 0;
const server = createServer((request, response) => {
  if (request.url === '/jwks') keyRequests += 1;
  handle(request, response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

/** Starts a provider with a new key; sessions and grants stay, because they are stored elsewhere. */
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
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    extraTokenClaims: (_context, { accountId }) => ({
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
    process.send({ rotated: number });
  } else {
    process.send({ keyRequests });
  }
});
process.on('disconnect', () => process.exit());
await replaceKey('key-1');
process.send({ issuer });
