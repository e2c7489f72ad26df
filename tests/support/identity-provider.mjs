import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';

const AUDIENCE = 'https://api.spacerent.example';
const ALGORITHM = 'ES256';

/**
 * An identity provider on loopback that signs whatever it is asked to. `settings` are what a router of
 * the servers profile needs in its environment, `credentials` what `signToken` needs, also elsewhere.
 */
export async function startIdentityProvider() {
  const keys = [await newKey('key-1')];
  let answer = 'keys';
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    if (answer === 'nothing') return;
    response.statusCode = answer === 'keys' ? 200 : 500;
    response.setHeader('content-type', 'application/jwk-set+json');
    response.end(JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Whoever was started with its address can end without it.
  server.unref();
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const settings = {
    AUTH_JWKS_URL: `${issuer}/jwks`,
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: AUDIENCE,
  };

  return {
    issuer,
    audience: AUDIENCE,
    settings,
    /** Of the newest key. */
    get credentials() {
      return { issuer, audience: AUDIENCE, key: keys.at(-1).privateJwk };
    },
    keys,
    async addKey(kid) {
      const key = await newKey(kid);
      keys.push(key);
      return key;
    },
    removeKey(kid) {
      keys.splice(
        keys.findIndex(({ publicJwk }) => publicJwk.kid === kid),
        1,
      );
    },
    /** What it does from now on: shows its `keys`, answers an `error`, or `nothing` at all. */
    behave(how) {
      answer = how;
      if (how !== 'nothing') server.closeAllConnections();
    },
    /** How often its keys were asked for. */
    timesAsked: () => asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function newKey(kid) {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const common = { kid, alg: ALGORITHM, use: 'sig' };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
  };
}

/** A token of the provider for a user; `lifetime` in jose's words. */
export async function signToken({ issuer, audience, key }, user, roles, lifetime) {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(await importJWK(key, ALGORITHM));
}

/** A token of a system of the embedded profile, which signs with a secret of its own. */
export async function signEmbeddedToken(secret, user, roles, lifetime) {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(secret));
}
