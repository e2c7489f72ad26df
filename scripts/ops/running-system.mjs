import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, root } from '../command.mjs';

/**
 * What the supervisor writes about the system that it runs.
 *
 * @typedef {{
 *   profile: 'embedded' | 'servers', graphqlUrl: string, databases: Record<string, string>, redisUrl?: string,
 * }} Instance
 */

/** The data folder that SPACERENT_HOME names, as `npm start` reads it. */
export function dataFolder(env = process.env) {
  return resolve(root, env.SPACERENT_HOME || '.spacerent');
}

/**
 * The system that runs on the data folder; throws a sentence when none does.
 *
 * @param {string} home
 */
export function runningSystem(home) {
  const instance = readInstance(home);
  if (instance?.graphqlUrl) return instance;
  throw new CommandError(
    `No spacerent runs on ${home}: start it with "npm start", name its folder in SPACERENT_HOME, ` +
      'or give its address with --url.',
  );
}

/**
 * @param {string} home
 * @returns {Instance | undefined}
 */
export function readInstance(home) {
  try {
    return JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8'));
  } catch {
    return undefined;
  }
}
