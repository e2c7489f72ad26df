import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * The test files under tests/, by what they run against: `none` start what they need by themselves, `each` run
 * against the system of each profile, `embedded` against the embedded one alone.
 */
export function filesByNeed() {
  const files = { none: [], each: [], embedded: [] };
  for (const name of readdirSync(join(root, 'tests'), { recursive: true })) {
    if (name.endsWith('.test.ts')) files[needOf(name)].push(`<rootDir>/tests/${name}`);
  }
  return files;
}

function needOf(name) {
  const text = readFileSync(join(root, 'tests', name), 'utf8');
  if (/\bdescribe(Systems|Routers)\(/.test(text)) return 'each';
  return text.includes('SYSTEM_EMBEDDED') ? 'embedded' : 'none';
}
