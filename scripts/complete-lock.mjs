// Run after `npm install` has changed package-lock.json: node scripts/complete-lock.mjs
// A registry mirror without other platforms' binary packages makes npm leave these out of the lock
// file, and npm 11's `npm ci` then calls it out of sync, everywhere. Their exact versions stand in
// the packages that want them; this adds them back, without an integrity hash, which only a full
// registry knows.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '..', 'package-lock.json');
/** @type {{ packages: Record<string, any> }} */
const lock = JSON.parse(readFileSync(file, 'utf8'));
const packages = { ...lock.packages };

for (const [path, wanting] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(wanting.optionalDependencies ?? {})) {
    const isExact = /^\d/.test(version);
    if (isExact && !isLocked(path, name))
      packages[`node_modules/${name}`] = entry(wanting, name, version);
  }
}

const added = Object.keys(packages).length - Object.keys(lock.packages).length;
if (added > 0) {
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(
    file,
    `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
  );
}
console.log(`${added} packages of other platforms were added to package-lock.json.`);

/**
 * As Node looks packages up: in the wanting package's node_modules, then in each one above.
 *
 * @param {string} path
 * @param {string} name
 */
function isLocked(path, name) {
  const folders = path === '' ? [] : [path];
  for (let end = path.lastIndexOf('/node_modules/'); end > 0; ) {
    folders.push(path.slice(0, end));
    end = path.lastIndexOf('/node_modules/', end - 1);
  }
  const candidates = folders.map((folder) => `${folder}/node_modules/${name}`);
  return [...candidates, `node_modules/${name}`].some((candidate) => packages[candidate]);
}

/**
 * @param {{ dev?: boolean, devOptional?: boolean }} wanting
 * @param {string} name
 * @param {string} version
 */
function entry({ dev, devOptional }, name, version) {
  const [, os, cpu] =
    /-(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)/.exec(name) ?? [];
  return {
    version,
    ...(dev && { dev }),
    ...(devOptional && { devOptional }),
    ...(cpu && { cpu: [cpu] }),
    ...(name.includes('-linux-') && { libc: [name.includes('musl') ? 'musl' : 'glibc'] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}
