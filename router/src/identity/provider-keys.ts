import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from '#platform/observability/logger.ts';

/** Nobody can say now whether the token is valid: the provider's keys cannot be had. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

const TIMEOUT_MS = 5_000;
/** Without any key nobody can sign in: so soon it is tried again. */
const FIRST_KEYS_RETRY_MS = 1_000;
/** A provider that is away for longer has signed nothing that is still valid. */
const KEPT_WITHOUT_PROVIDER_MS = 24 * 3_600_000;
/** From this part of their age on keys are asked for again while the known ones go on serving. */
const REFRESHED_AT = 0.75;

/**
 * The public keys (JWKS, RFC 7517) that an OpenID provider shows at `url`. Answers jose with the key of
 * a token. Keys are asked for again before they are `maxAgeMs` old, and when a token names one that is
 * unknown, but then no more often than once in `cooldownMs`. While the provider is away the known
 * keys are used. Throws {@link KeysUnavailable} where it would have to guess.
 */
export function providerKeys(options: {
  url: URL;
  maxAgeMs: number;
  cooldownMs: number;
  logger: Logger;
  /** The keys have changed: what was found out with the former ones may be wrong. */
  onChange: () => void;
}): JWTVerifyGetKey {
  const { url, maxAgeMs, cooldownMs, logger, onChange } = options;
  let known: { keyOf: JWTVerifyGetKey; text: string; since: number } | undefined;
  let lastTry: { at: number; failed: boolean } | undefined;
  let asking: Promise<void> | undefined;

  /** Never rejects: who asks looks at what is known afterwards. */
  function ask(): Promise<void> {
    asking ??= refresh().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  async function refresh(): Promise<void> {
    const at = performance.now();
    try {
      const keys = await fetchKeys(url);
      const text = JSON.stringify(keys);
      const isNew = text !== known?.text;
      known = { keyOf: createLocalJWKSet(keys), text, since: performance.now() };
      lastTry = { at, failed: false };
      if (!isNew) return;
      onChange();
      const names = keys.keys.map(({ kid }) => kid);
      logger.info({ keys: names }, "the identity provider's keys are known");
    } catch (error) {
      lastTry = { at, failed: true };
      logger.warn({ err: error }, "the identity provider's keys cannot be had");
    }
  }

  const age = () => (known ? performance.now() - known.since : Number.POSITIVE_INFINITY);
  const hasRested = (ms: number) => !lastTry || performance.now() - lastTry.at >= ms;

  async function bringUpToDate(): Promise<void> {
    if (!known) {
      if (asking || hasRested(FIRST_KEYS_RETRY_MS)) await ask();
      return;
    }
    if (age() < maxAgeMs * REFRESHED_AT) return;
    // A provider that is away must not make everybody wait: they go on with what is known.
    const waits = age() >= maxAgeMs && !lastTry?.failed;
    if (waits) await ask();
    else if (!lastTry?.failed || hasRested(cooldownMs)) void ask();
  }

  void ask();

  return async (header, token) => {
    await bringUpToDate();
    if (!known || age() >= maxAgeMs + KEPT_WITHOUT_PROVIDER_MS) throw new KeysUnavailable();
    try {
      return await known.keyOf(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (asking || hasRested(cooldownMs)) await ask();
      if (lastTry?.failed) throw new KeysUnavailable();
      return known.keyOf(header, token);
    }
  };
}

/** Rejects when there is no answer, or one without keys: that is a provider which is broken. */
async function fetchKeys(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // Another address is another party, and perhaps not one that is reached safely.
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
