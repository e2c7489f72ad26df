import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { withFileLock } from './file-lock.mjs';
import { generatePrismaClients } from './prisma-clients.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const manifestFile = join(dist, '.sources.json');
const sourceFolders = [
  'contracts',
  'platform',
  'router',
  'subgraphs',
  'supervisor',
  'prisma',
  'bench',
  'tests/faults',
  // The clients of the programs in tests/faults.
  'tests/support',
  // Renders the chart, whose probes the measurement of healing plays.
  'tests/deploy',
  // The parts of the command test:oracle.
  'router/test/federation',
  'router/test/oracle',
];
const skippedFolders = new Set(['test', 'tests', 'node_modules', 'migrations']);

/**
 * The state of a source file when it was compiled, by its path.
 *
 * @typedef {{ mtimeMs: number, size: number, hash: string }} Fingerprint
 * @typedef {Record<string, Fingerprint>} Fingerprints
 */

/** Brings generated Prisma clients and dist/ up to date; does only what is out of date. */
export async function prepare() {
  await withFileLock(join(root, '.spacerent', 'prepare.lock'), 'the build', async () => {
    await generatePrismaClients();
    await compileSources();
  });
}

async function compileSources() {
  const compiler = compilerIdentity();
  const before = readManifest(compiler);
  /** @type {Fingerprints} */
  const now = {};
  const changed = [];
  for (const file of sourceFolders.flatMap(listSources)) {
    const current = fingerprint(file, before[file]);
    now[file] = current;
    const isCurrent = current.hash === before[file]?.hash && existsSync(toOutputPath(file));
    if (!isCurrent) changed.push(file);
  }
  const gone = Object.keys(before).filter((file) => now[file] === undefined);

  if (changed.length > 0) {
    console.log(`Compiling ${changed.length} source ${changed.length === 1 ? 'file' : 'files'}`);
    // Before the compiler overwrites them: an interrupted build must not look like a finished one.
    writeManifest(compiler, without(before, changed));
    await compile(changed);
  }
  for (const file of gone) {
    rmSync(toOutputPath(file), { force: true });
    rmSync(`${toOutputPath(file)}.map`, { force: true });
  }
  if (JSON.stringify(now) !== JSON.stringify(before)) writeManifest(compiler, now);
}

/**
 * @template Value
 * @param {Record<string, Value>} record
 * @param {string[]} keys
 */
function without(record, keys) {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function listSources(folder) {
  /** @type {string[]} */
  const found = [];
  const entries = existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true })
    : [];
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !skippedFolders.has(entry.name)) found.push(...listSources(path));
    if (entry.isFile() && isSource(entry.name)) found.push(path);
  }
  // Of prisma/ only the generated clients run; prisma.config.ts is for Prisma's own CLI.
  return folder === 'prisma' ? found.filter((path) => path.includes('/generated/')) : found;
}

/** @param {string} name */
function isSource(name) {
  return name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.endsWith('.test.ts');
}

/**
 * An unchanged time and size spare reading the file; otherwise its content decides.
 *
 * @param {string} file
 * @param {Fingerprint | undefined} previous
 * @returns {Fingerprint}
 */
function fingerprint(file, previous) {
  const { mtimeMs, size } = statSync(join(root, file));
  if (previous?.mtimeMs === mtimeMs && previous.size === size) return previous;
  const hash = createHash('sha256')
    .update(readFileSync(join(root, file)))
    .digest('base64url');
  return { mtimeMs, size, hash };
}

/** @param {string} file */
function toOutputPath(file) {
  return join(dist, file.replace(/\.ts$/, '.js'));
}

/** Another compiler or other options make every output stale. */
function compilerIdentity() {
  const { version } = JSON.parse(
    readFileSync(join(root, 'node_modules/@swc/core/package.json'), 'utf8'),
  );
  const script = readFileSync(join(import.meta.dirname, 'compile.mjs'));
  return `${version} ${createHash('sha256').update(script).digest('base64url')}`;
}

/**
 * @param {string} compiler
 * @returns {Fingerprints}
 */
function readManifest(compiler) {
  try {
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
    if (manifest.compiler === compiler) return manifest.sources;
  } catch {
    // No manifest, or an incomplete one: dist/ is removed and compiled completely.
  }
  rmSync(dist, { recursive: true, force: true });
  return {};
}

/**
 * @param {string} compiler
 * @param {Fingerprints} sources
 */
function writeManifest(compiler, sources) {
  mkdirSync(dist, { recursive: true });
  const temporary = `${manifestFile}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ compiler, sources }));
  renameSync(temporary, manifestFile);
}

/**
 * @param {string[]} files
 * @returns {Promise<void>}
 */
function compile(files) {
  const script = relative(root, join(import.meta.dirname, 'compile.mjs'));
  const child = spawn(process.execPath, [script], {
    cwd: root,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify(files));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error('Some source files do not compile; the messages above name them.'));
    });
  });
}
