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
import type { Viewer } from '#platform/auth/viewer.ts';
import { serviceUnavailable, unauthenticated } from '#platform/graphql/errors.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { RouterConfig } from '../config.ts';
import { viewerOf } from './claims.ts';
import { DEVELOPMENT_ALGORITHM } from './development-tokens.ts';
import { KeysUnavailable, providerKeys } from './provider-keys.ts';

/** Who asks, and until when that is known. */
export interface Identified {
  viewer: Viewer;
  /** When the token expires; null: never. */
  expiresAt: Date | null;
}

/** Clocks differ: a token may be so much younger than now. Expiry is to the second all the same. */
const LEEWAY_SECONDS = 5;
/** The latest instant that a Date can hold, in seconds. */
const END_OF_TIME = 8_640_000_000_000;

const TOKEN_CACHE_SIZE = 20_000;
/**
 * For so long, at most, a checked token is not checked again. It is added to the age that the provider's
 * keys may have before one that was taken away is noticed; SECURITY.md names the sum.
 */
const REMEMBERED_MS = 60_000;

/** Whose signatures are accepted, and what else a token has to say. */
interface Trust {
  key: JWTVerifyGetKey;
  options: JWTVerifyOptions;
  rolesClaim: string;
  keysMaxAgeMs: number;
}

/** Checks bearer tokens (JWT, RFC 7519): a provider's, or in the embedded profile its own. */
export function identity(config: RouterConfig, logger: Logger) {
  // The keys' first answer comes later: by then there is something to clear.
  const trust = trustOf(config, logger, () => checked.clear());
  // By their hash: of fixed size, and no key to anything should memory ever be looked at.
  const checked = new LRUCache<string, Identified & { expiresAt: Date }>({
    max: TOKEN_CACHE_SIZE,
    ttl: Math.min(REMEMBERED_MS, trust.keysMaxAgeMs),
  });

  async function check(token: string): Promise<Identified & { expiresAt: Date }> {
    const name = hash('sha256', token, 'base64');
    const known = checked.get(name);
    if (known && known.expiresAt.getTime() > Date.now()) return known;
    const { payload } = await jwtVerify(token, trust.key, trust.options);
    const expiresAt = expiryOf(payload);
    const identified = { viewer: viewerOf(payload, trust.rolesClaim), expiresAt };
    checked.set(name, identified);
    return identified;
  }

  return {
    /**
     * Who sends this `Authorization` header; null without one. Throws UNAUTHENTICATED with HTTP
     * 401 when the header holds no valid bearer token, and SERVICE_UNAVAILABLE with HTTP 503 when
     * nobody can tell because the identity provider's keys cannot be had.
     */
    async identify(authorization: string | undefined): Promise<Identified | null> {
      if (authorization === undefined) return null;
      const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
      if (!token) throw refused('The Authorization header must read: Bearer <token>.');
      try {
        return await check(token);
      } catch (error) {
        if (error instanceof KeysUnavailable) {
          throw serviceUnavailable('The identity provider does not answer: try again.');
        }
        // The reason is for operators: whoever tries tokens out learns nothing from it.
        const { code = (error as Error).name, claim } = error as { code?: string; claim?: string };
        logger.info({ reason: code, claim }, 'a token was refused');
        throw refused(
          error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.',
        );
      }
    },
  };
}

function trustOf(config: RouterConfig, logger: Logger, onChange: () => void): Trust {
  const always = { clockTolerance: LEEWAY_SECONDS, requiredClaims: ['sub', 'exp'] };
  if (config.SPACERENT_PROFILE === 'embedded') {
    const secret = new TextEncoder().encode(config.AUTH_SECRET);
    return {
      key: async () => secret,
      options: { ...always, algorithms: [DEVELOPMENT_ALGORITHM] },
      rolesClaim: 'roles',
      keysMaxAgeMs: Number.POSITIVE_INFINITY,
    };
  }
  const keysMaxAgeMs = config.AUTH_KEYS_MAX_AGE_SECONDS * 1_000;
  return {
    key: providerKeys({
      url: config.AUTH_JWKS_URL,
      maxAgeMs: keysMaxAgeMs,
      cooldownMs: config.AUTH_KEYS_COOLDOWN_SECONDS * 1_000,
      logger,
      onChange,
    }),
    options: {
      ...always,
      algorithms: config.AUTH_ALGORITHMS,
      issuer: config.AUTH_ISSUER,
      audience: config.AUTH_AUDIENCE,
    },
    rolesClaim: config.AUTH_ROLES_CLAIM,
    keysMaxAgeMs,
  };
}

/** What the library leaves open: expiry without leeway, and tokens that were signed in the future. */
function expiryOf(payload: JWTPayload): Date {
  const { exp = 0, iat = 0 } = payload;
  const now = Date.now() / 1_000;
  if (exp <= now) throw new errors.JWTExpired('"exp" is past', payload, 'exp', 'check_failed');
  if (iat > now + LEEWAY_SECONDS) {
    throw new errors.JWTClaimValidationFailed('"iat" is to come', payload, 'iat', 'check_failed');
  }
  return new Date(Math.min(exp, END_OF_TIME) * 1_000);
}

/**
 * The request's `Authorization` header. Node keeps the first of several, and what stands before this
 * server may look at the last: together they are no bearer token, so nobody is taken for another.
 */
export function authorizationOf({
  headers,
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | undefined {
  if (headers.authorization === undefined) return undefined;
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  return values.length > 1 ? values.join(', ') : headers.authorization;
}

function refused(message: string) {
  const error = unauthenticated(message);
  error.extensions.http = { status: 401 };
  return error;
}
