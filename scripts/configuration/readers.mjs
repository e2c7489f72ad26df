// Who reads settings: the five services and the console, with the router's and the console's once for each
// profile, and npm start.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What runs as a process of its own, and `START` starts; the optional `CONSOLE` reads some of the router's. */
export const SERVICES = ['router', ...readdirSync(join(import.meta.dirname, '../../subgraphs'))];
export const CONSOLE = 'console';
export const START = 'npm start';

/**
 * `shape`: zod schemas by the variables' names; `profile`: when it reads them in one alone.
 *
 * @typedef {Readonly<Record<string, import('zod').z.core.$ZodType>>} Shape
 * @typedef {{ name: string, profile?: string, shape: Shape }} Reader
 * @typedef {{
 *   readers: Reader[], SETTING_GROUPS: Record<string, string>,
 *   groupOf: (schema: import('zod').ZodType) => string | undefined,
 * }} Readers
 */

/**
 * Resolves with every reader of settings: its name, its shape (zod schemas by the variables' names) and
 * the profile when it reads them in one alone; and with the lookup of a schema's group.
 *
 * @param {(module: string) => Promise<Record<string, any>>} load imports a source file, named from
 *   the root and without its extension: from the build, or in tests from the sources themselves
 * @returns {Promise<Readers>}
 */
export async function loadReaders(load) {
  const { profileShape } = await load('platform/config/settings');
  const { SETTING_GROUPS, groupOf } = await load('platform/config/setting-groups');
  const { routerShapes } = await load('router/src/config');
  const { consoleShapes } = await load('router/src/console/settings');
  const { startShape } = await load('supervisor/src/settings');
  /** @type {(name: string, shapes: Record<string, Shape>) => Reader[]} */
  const byProfile = (name, shapes) =>
    Object.entries(shapes).map(([profile, shape]) => ({
      name,
      profile,
      shape: { ...shape, ...profileShape },
    }));
  const readers = byProfile('router', routerShapes);
  for (const name of SERVICES.slice(1)) {
    const { [`${name}Shape`]: shape } = await load(`subgraphs/${name}/src/config`);
    readers.push({ name, shape: { ...shape, ...profileShape } });
  }
  readers.push(...byProfile(CONSOLE, consoleShapes), { name: START, shape: startShape });
  return { readers, SETTING_GROUPS, groupOf };
}
