import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { Principal } from '#platform/auth/principal.ts';
import { serviceUnavailable, unauthenticated } from '#platform/graphql/errors.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { toPrincipal } from './claims.ts';
import { DEVELOPMENT_ALGORITHM } from './development-tokens.ts';
import { KeysUnavailable, providerKeys } from './provider-keys.ts';
import type { IdentitySettings } from './settings.ts';

/** The principal of a valid token. */
export interface Identity {
  principal: Principal;
  /** When the token expires; null: never. */
  expiresAt: Date | null;
}

/** Clock difference that `iat` and `nbf` may have; expiry is exact. */
const LEEWAY_SECONDS = 5;
/** The latest instant that a Date can represent, in seconds. */
const MAX_DATE_SECONDS = 8_640_000_000_000;

const TOKEN_CACHE_SIZE = 20_000;
/**
 * Cache lifetime of a verified token. A revoked signing key works for at most this plus
 * AUTH_KEYS_MAX_AGE_SECONDS; SECURITY.md names the sum.
 */
const TOKEN_CACHE_MS = 60_000;

/** Whose signatures are accepted, and which claims a token must have. */
interface Trust {
  key: JWTVerifyGetKey;
  options: JWTVerifyOptions;
  rolesClaim: string;
  keysMaxAgeMs: number;
}

/**
 * Identifies the sender of an `Authorization` header; null without one. Rejects with UNAUTHENTICATED and
 * HTTP 401 when the header holds no valid bearer token, and with SERVICE_UNAVAILABLE and HTTP 503 when the
 * keys of the identity provider cannot be fetched.
 */
export type Identify = (authorization: string | undefined) => Promise<Identity | null>;

/** Verifies bearer tokens (JWT, RFC 7519): a provider's, or in the embedded profile the router's own. */
export function identityVerifier(settings: IdentitySettings, logger: Logger): Identify {
  // The first keys arrive asynchronously, when `verifiedTokens` exists.
  const trust = createTrust(settings, logger, () => verifiedTokens.clear());
  // Keyed by hash: of fixed size, and useless to a reader of a memory dump.
  const verifiedTokens = new LRUCache<string, Identity & { expiresAt: Date }>({
    max: TOKEN_CACHE_SIZE,
    ttl: Math.min(TOKEN_CACHE_MS, trust.keysMaxAgeMs),
  });

  async function verify(token: string): Promise<Identity & { expiresAt: Date }> {
    const key = hash('sha256', token, 'base64');
    const cached = verifiedTokens.get(key);
    if (cached && cached.expiresAt.getTime() > Date.now()) return cached;
    const { payload } = await jwtVerify(token, trust.key, trust.options);
    const expiresAt = readExpiry(payload);
    const identity = { principal: toPrincipal(payload, trust.rolesClaim), expiresAt };
    verifiedTokens.set(key, identity);
    return identity;
  }

  return async (authorization) => {
    if (authorization === undefined) return null;
    const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
    if (!token) throw unauthenticatedError('The Authorization header must read: Bearer <token>.');
    try {
      return await verify(token);
    } catch (error) {
      throw toClientError(error, logger);
    }
  };
}

function toClientError(error: unknown, logger: Logger) {
  if (error instanceof KeysUnavailable) {
    return serviceUnavailable('The identity provider does not respond: try again.');
  }
  // The reason is logged for operators and kept from clients, who could probe tokens with it.
  const { code = (error as Error).name, claim } = error as { code?: string; claim?: string };
  logger.info({ reason: code, claim }, 'a token was refused');
  return unauthenticatedError(
    error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.',
  );
}

function createTrust(settings: IdentitySettings, logger: Logger, onChange: () => void): Trust {
  const options = { clockTolerance: LEEWAY_SECONDS, requiredClaims: ['sub', 'exp'] };
  if (settings.SPACERENT_PROFILE === 'embedded') {
    const secret = new TextEncoder().encode(settings.AUTH_SECRET);
    return {
      key: async () => secret,
      options: { ...options, algorithms: [DEVELOPMENT_ALGORITHM] },
      rolesClaim: 'roles',
      keysMaxAgeMs: Number.POSITIVE_INFINITY,
    };
  }
  const keysMaxAgeMs = settings.AUTH_KEYS_MAX_AGE_SECONDS * 1_000;
  return {
    key: providerKeys({
      url: settings.AUTH_JWKS_URL,
      maxAgeMs: keysMaxAgeMs,
      cooldownMs: settings.AUTH_KEYS_COOLDOWN_SECONDS * 1_000,
      logger,
      onChange,
    }),
    options: {
      ...options,
      algorithms: settings.AUTH_ALGORITHMS,
      issuer: settings.AUTH_ISSUER,
      audience: settings.AUTH_AUDIENCE,
    },
    rolesClaim: settings.AUTH_ROLES_CLAIM,
    keysMaxAgeMs,
  };
}

/** Adds to the library's checks: expiry without leeway, and no token that was signed in the future. */
function readExpiry(payload: JWTPayload): Date {
  const { exp = 0, iat = 0 } = payload;
  const now = Date.now() / 1_000;
  if (exp <= now) throw new errors.JWTExpired('"exp" is past', payload, 'exp', 'check_failed');
  if (iat > now + LEEWAY_SECONDS) {
    throw new errors.JWTClaimValidationFailed('"iat" is to come', payload, 'iat', 'check_failed');
  }
  return new Date(Math.min(exp, MAX_DATE_SECONDS) * 1_000);
}

/**
 * The request's `Authorization` header. Of several, Node uses the first and a proxy may use the last:
 * joined they are no valid bearer token, so that neither is trusted.
 */
export function readAuthorization({
  headers,
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | undefined {
  if (headers.authorization === undefined) return undefined;
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  return values.length > 1 ? values.join(', ') : headers.authorization;
}

function unauthenticatedError(message: string) {
  const error = unauthenticated(message);
  error.extensions.http = { status: 401 };
  return error;
}
