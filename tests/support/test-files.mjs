import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * The test files under tests/ by the running system that they need: `none` start what they need by themselves,
 * `each` run against the system of each profile, `embedded` only against the embedded one.
 */
export function filesBySystem() {
  const files = { none: [], each: [], embedded: [] };
  for (const name of readdirSync(join(root, 'tests'), { recursive: true })) {
    if (name.endsWith('.test.ts')) files[systemFor(name)].push(`<rootDir>/tests/${name}`);
  }
  return files;
}

function systemFor(name) {
  const text = readFileSync(join(root, 'tests', name), 'utf8');
  if (/\bdescribe(Systems|Routers)\(/.test(text)) return 'each';
  return text.includes('SYSTEM_EMBEDDED') ? 'embedded' : 'none';
}
