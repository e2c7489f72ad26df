import { readFile } from 'node:fs/promises';
import { Gauge } from 'prom-client';
import { ConfigError, processShape, readConfig, readProfile } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { type InternalKeys, toKeyId } from './internal-requests.ts';

/** By polling: a Secret of Kubernetes is a link that is replaced, which watching a file misses. */
const READ_EVERY_MS = 2_000;

const { INTERNAL_TOKEN_KEYS: keysSetting } = processShape;

/**
 * The keys of requests between services. Where they come from a file (`INTERNAL_TOKEN_KEYS_FILE`), they
 * follow it, without a restart; keys that are not usable are logged, and the last ones stay in use. The
 * gauge `spacerent_internal_token_keys{key,use}` says which ones a process uses, by their ids.
 */
export function followInternalKeys(
  initial: readonly string[],
  env: NodeJS.ProcessEnv,
  metrics: Metrics,
  logger: Logger,
): InternalKeys {
  let current = initial;
  showKeys(metrics, () => current);
  const file = env.INTERNAL_TOKEN_KEYS_FILE;
  if (!file) return () => current;

  let problem = '';
  const follow = async () => {
    try {
      const read = parseKeys(await readFile(file, 'utf8'), env);
      problem = '';
      if (read.join() === current.join()) return;
      current = read;
      logger.info(
        { keys: read.map(toKeyId) },
        'the keys of requests between services have changed',
      );
    } catch (error) {
      const message = error instanceof ConfigError ? error.message : String(error);
      if (message !== problem)
        logger.error({ file, problem: message }, 'the new keys are not used');
      problem = message;
    }
  };
  const turn = () => void follow().finally(() => setTimeout(turn, READ_EVERY_MS).unref());
  setTimeout(turn, READ_EVERY_MS).unref();
  return () => current;
}

/** Throws {@link ConfigError} under the same rules as at the start; the message has no key. */
function parseKeys(text: string, env: NodeJS.ProcessEnv): readonly string[] {
  const { INTERNAL_TOKEN_KEYS } = readConfig(
    { INTERNAL_TOKEN_KEYS: keysSetting },
    {
      SPACERENT_PROFILE: readProfile(env),
      INTERNAL_TOKEN_KEYS: text.replace(/\r?\n$/, ''),
    },
  );
  return INTERNAL_TOKEN_KEYS;
}

function showKeys(metrics: Metrics, keys: InternalKeys): void {
  new Gauge({
    name: 'spacerent_internal_token_keys',
    help: 'Always 1: a key of requests between services that the process uses, by its id. Per process.',
    labelNames: ['key', 'use'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const [index, key] of keys().entries()) {
        this.set({ key: toKeyId(key), use: index === 0 ? 'signs and accepts' : 'accepts' }, 1);
      }
    },
  });
}
