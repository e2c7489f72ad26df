import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * Every test file by what it needs; the keys are Jest's projects:
 * `unit` starts no server and no process; `integration` uses databases and queues that the run starts, or processes; `each` runs on the
 * running system of each profile, `embedded` on the embedded one alone; `faults` starts systems itself and
 * breaks them.
 *
 * @returns {Record<'unit' | 'integration' | 'each' | 'embedded' | 'faults', string[]>}
 */
export function testFilesByNeed() {
  /** @type {ReturnType<typeof testFilesByNeed>} */
  const files = { unit: [], integration: [], each: [], embedded: [], faults: [] };
  for (const file of testFiles()) files[needOf(file)].push(`<rootDir>/${file}`);
  return files;
}

function testFiles() {
  const folders = ['bench', 'contracts', 'platform', 'router', 'subgraphs', 'supervisor', 'tests'];
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { encoding: 'utf8', recursive: true }).map((name) =>
        join(folder, name).replaceAll(sep, '/'),
      ),
    )
    .filter((file) => file.endsWith('.test.ts'));
}

/** @param {string} file */
function needOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  if (/\bdescribe(Systems|Routers)\(/.test(text)) return 'each';
  if (text.includes('SYSTEM_EMBEDDED')) return 'embedded';
  // The programs that start a replicated system, or what these start it with.
  if (/dist\/tests\/faults\/|\bstart\w*System\(/.test(text)) return 'faults';
  return startsSomething(file) ? 'integration' : 'unit';
}

/**
 * Does the file, or a test helper that it imports, use a server or start a process?
 *
 * @param {string} file
 * @param {Set<string>} seen
 * @returns {boolean}
 */
function startsSomething(file, seen = new Set()) {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(join(root, file), 'utf8');
  if (/\bTEST_(POSTGRES|MARIADB|REDIS)_URL\b|'node:child_process'|\bservers\.mjs'/.test(text))
    return true;
  return helpersOf(file, text).some((helper) => startsSomething(helper, seen));
}

/**
 * The test helpers that a file imports: what is tested starts no server by itself.
 *
 * @param {string} file
 * @param {string} text
 */
function helpersOf(file, text) {
  return [...text.matchAll(/\bfrom '(\.[^']+)'/g)]
    .map(([, path = '']) => relative(root, join(root, dirname(file), path)).replaceAll(sep, '/'))
    .filter((path) => /(^|\/)tests?\//.test(path));
}
