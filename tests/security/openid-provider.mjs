// A real OpenID provider on loopback, as a process of its own. Tells its issuer over the channel to its
// parent; "rotate" gives it a new signing key and takes the old one away, as "asked" tells how often its keys
// were asked for.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const { CLIENT_ID, REDIRECT_URI, AUDIENCE } = process.env;
const ROLES = { 'kim-by-openid': ['customer', 'offline_access'], hana: ['host'] };

let answer;
let asked = 0;
const server = createServer((request, response) => {
  if (request.url === '/jwks') asked += 1;
  answer(request, response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

/** What was stored before (sessions, grants) stays: only the keys are new, as after its restart. */
async function takeNewKey(kid) {
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
  answer = provider.callback();
}

let number = 1;
process.on('message', async (message) => {
  if (message === 'rotate') {
    number += 1;
    await takeNewKey(`key-${number}`);
    process.send({ rotated: number });
  } else {
    process.send({ asked });
  }
});
process.on('disconnect', () => process.exit());
await takeNewKey('key-1');
process.send({ issuer });
