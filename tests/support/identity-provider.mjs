import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';

const AUDIENCE = 'https://api.spacerent.example';
const ALGORITHM = 'ES256';

/** @typedef {{ issuer: string, audience: string, key: import('jose').JWK }} Credentials */
/** @typedef {'keys' | 'error' | 'nothing'} Behaviour */

/** @typedef {{ host: string, cert: Buffer, key: Buffer }} Tls a certificate for the name `host` */

/**
 * An identity provider, on loopback or, with a certificate, at all addresses of this machine. `settings` is the
 * environment with which a router of the servers profile trusts it; `credentials` is the first argument of
 * `signToken`, also in another process.
 *
 * @param {Tls} [tls]
 */
export async function startIdentityProvider(tls) {
  const keys = [await newKey('key-1')];
  /** @type {Behaviour} */
  let behaviour = 'keys';
  let requests = 0;
  /** @type {import('node:http').RequestListener} */
  const respond = (_request, response) => {
    requests += 1;
    if (behaviour === 'nothing') return;
    response.statusCode = behaviour === 'keys' ? 200 : 500;
    response.setHeader('content-type', 'application/jwk-set+json');
    response.end(JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }));
  };
  const server = tls ? createTlsServer(tls, respond) : createServer(respond);
  await once(server.listen(0, tls ? '0.0.0.0' : '127.0.0.1'), 'listening');
  // An open server alone must not keep the process of the tests alive.
  server.unref();
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const issuer = tls ? `https://${tls.host}:${port}` : `http://127.0.0.1:${port}`;
  const settings = {
    AUTH_JWKS_URL: `${issuer}/jwks`,
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: AUDIENCE,
  };

  return {
    issuer,
    audience: AUDIENCE,
    settings,
    /**
     * With the newest key.
     *
     * @returns {Credentials}
     */
    get credentials() {
      const newest = keys.at(-1);
      if (!newest) throw new Error('The identity provider has no key left.');
      return { issuer, audience: AUDIENCE, key: newest.privateJwk };
    },
    keys,
    /** @param {string} kid */
    async addKey(kid) {
      const key = await newKey(kid);
      keys.push(key);
      return key;
    },
    /** @param {string} kid */
    removeKey(kid) {
      keys.splice(
        keys.findIndex(({ publicJwk }) => publicJwk.kid === kid),
        1,
      );
    },
    /**
     * From now on it responds with its `keys`, with an `error`, or with `nothing` at all.
     *
     * @param {Behaviour} next
     */
    setBehaviour(next) {
      behaviour = next;
      if (next !== 'nothing') server.closeAllConnections();
    },
    /** The number of requests for its keys. */
    keyRequests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** @param {string} kid */
async function newKey(kid) {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const common = { kid, alg: ALGORITHM, use: 'sig' };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
  };
}

/**
 * A token that the provider signs for a user; `lifetime` in the syntax of jose, such as `1h`.
 *
 * @param {Credentials} credentials
 * @param {string} user
 * @param {string[]} roles
 * @param {string} lifetime
 */
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

/**
 * A token of the embedded profile, which signs with its own secret.
 *
 * @param {string} secret
 * @param {string} user
 * @param {string[]} roles
 * @param {string} lifetime
 */
export async function signEmbeddedToken(secret, user, roles, lifetime) {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(secret));
}
