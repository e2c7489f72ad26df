import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from '#platform/observability/logger.ts';

/** The token cannot be verified now, because the provider's keys cannot be fetched. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

const TIMEOUT_MS = 5_000;
/** Pause between attempts while there are no keys, and no user can sign in. */
const FIRST_FETCH_RETRY_MS = 1_000;
/** How long expired keys are used while the provider is down: its tokens expire sooner. */
const MAX_OUTAGE_MS = 24 * 3_600_000;
/** At this part of their maximum age keys are fetched in the background, while the cached ones serve. */
const REFRESH_AGE_RATIO = 0.75;

/**
 * Finds a token's key among the public keys (JWKS, RFC 7517) that an OpenID provider publishes at `url`.
 * Keys are fetched again before they are `maxAgeMs` old, and when a token names an unknown key, at most
 * once in `cooldownMs`. While the provider is down the cached keys are used; rejects with
 * {@link KeysUnavailable} when they cannot decide.
 */
export function providerKeys(options: {
  url: URL;
  maxAgeMs: number;
  cooldownMs: number;
  logger: Logger;
  /** Called when the keys have changed: tokens verified with the previous ones may be invalid now. */
  onChange: () => void;
}): JWTVerifyGetKey {
  const { url, maxAgeMs, cooldownMs, logger, onChange } = options;
  let cached: { findKey: JWTVerifyGetKey; text: string; since: number } | undefined;
  let lastFetch: { at: number; failed: boolean } | undefined;
  let refreshing: Promise<void> | undefined;

  /** Never rejects: callers check `cached` afterwards. Concurrent calls share one fetch. */
  function refresh(): Promise<void> {
    refreshing ??= fetchAndStore().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function fetchAndStore(): Promise<void> {
    const at = performance.now();
    try {
      const keys = await fetchKeys(url);
      const text = JSON.stringify(keys);
      const isNew = text !== cached?.text;
      cached = { findKey: createLocalJWKSet(keys), text, since: performance.now() };
      lastFetch = { at, failed: false };
      if (!isNew) return;
      onChange();
      const names = keys.keys.map(({ kid }) => kid);
      logger.info({ keys: names }, "the identity provider's keys were fetched");
    } catch (error) {
      lastFetch = { at, failed: true };
      logger.warn({ err: error }, "the identity provider's keys could not be fetched");
    }
  }

  const age = () => (cached ? performance.now() - cached.since : Number.POSITIVE_INFINITY);
  const hasPaused = (ms: number) => !lastFetch || performance.now() - lastFetch.at >= ms;

  async function refreshIfDue(): Promise<void> {
    if (!cached) {
      if (refreshing || hasPaused(FIRST_FETCH_RETRY_MS)) await refresh();
      return;
    }
    if (age() < maxAgeMs * REFRESH_AGE_RATIO) return;
    // While the provider is down, requests must not wait for a fetch that fails.
    const mustWait = age() >= maxAgeMs && !lastFetch?.failed;
    if (mustWait) await refresh();
    else if (!lastFetch?.failed || hasPaused(cooldownMs)) void refresh();
  }

  void refresh();

  return async (header, token) => {
    await refreshIfDue();
    if (!cached || age() >= maxAgeMs + MAX_OUTAGE_MS) throw new KeysUnavailable();
    try {
      return await cached.findKey(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (refreshing || hasPaused(cooldownMs)) await refresh();
      if (lastFetch?.failed) throw new KeysUnavailable();
      return cached.findKey(header, token);
    }
  };
}

/** Rejects without a response in time, and for a response without keys. */
async function fetchKeys(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // A redirect could lead to a host that is not trusted, or to plain HTTP.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status} from ${url.origin}`);
  const keys = JSON.parse(text) as JSONWebKeySet;
  if (!Array.isArray(keys?.keys) || keys.keys.length === 0) {
    throw new Error(`no keys at ${url.origin}`);
  }
  return keys;
}
