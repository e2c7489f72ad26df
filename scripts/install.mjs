import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withFileLock } from './file-lock.mjs';

const root = join(import.meta.dirname, '..');
const stampFile = join(root, 'node_modules', '.spacerent-installed');

/** Makes node_modules match package-lock.json; returns at once when it does already. */
export async function ensureInstalled() {
  const wanted = wantedStamp();
  if (readText(stampFile) === wanted) return;
  await withFileLock(join(root, '.spacerent', 'install.lock'), 'the installation', async () => {
    if (readText(stampFile) === wanted) return;
    // After `npm ci` or `npm install` by hand, a second installation is not needed.
    if (!matchesLockFile()) {
      console.log('Installing the packages of package-lock.json (npm ci) …');
      rmSync(stampFile, { force: true });
      await npmCi();
      console.log('Packages are installed.');
    }
    writeFileSync(stampFile, wanted);
  });
}

/** Native binaries differ by platform, so a folder copied from another machine installs anew. */
function wantedStamp() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  return `${hash} ${process.platform}-${process.arch}`;
}

/** npm leaves the list of what it installed in node_modules/.package-lock.json. */
function matchesLockFile() {
  const installed = JSON.parse(readText(join(root, 'node_modules/.package-lock.json')) ?? '{}');
  const locked = JSON.parse(readText(join(root, 'package-lock.json')) ?? '{}');
  return Object.entries(locked.packages ?? {}).every(([path, wanted]) => {
    const have = installed.packages?.[path];
    if (have === undefined) return path === '' || (wanted.optional && !isForThisMachine(wanted));
    return have.version === wanted.version && have.integrity === wanted.integrity;
  });
}

/** @param {{ os?: string[], cpu?: string[], libc?: string[] }} locked */
function isForThisMachine({ os, cpu, libc }) {
  /** @type {(list: string[] | undefined, value: string | undefined) => boolean} */
  const allows = (list, value) => list === undefined || list.some((each) => each === value);
  // Only packages that name a platform matter; without one, `optional` is enough.
  if (os === undefined && cpu === undefined) return false;
  return allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, libcFamily());
}

function libcFamily() {
  if (process.platform !== 'linux') return undefined;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
    process.report.getReport()
  );
  return header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/** @returns {Promise<void>} */
function npmCi() {
  // devDependencies hold what start needs (swc, prisma), also where NODE_ENV is production.
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts'];
  // Warnings about engines of packages that never run here would only worry.
  args.push('--no-audit', '--no-fund', '--loglevel=error');
  const { command, prefix } = findNpm();
  const child = spawn(command, [...prefix, ...args], { cwd: root, stdio: 'inherit' });
  // A Ctrl-C reaches npm as well: let it clean up, and end with it.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`npm cannot be run: ${error.message}.`)));
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      if (code === 0) return resolve();
      const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
      reject(
        new Error(
          `Installing the packages ${how}: npm's messages above give the reason. ` +
            'When they name the network, check that this machine reaches the npm registry.',
        ),
      );
    });
  });
}

/** The very npm that runs us, if one does; otherwise the one on the PATH. */
function findNpm() {
  const running = process.env.npm_execpath;
  if (running && basename(running).startsWith('npm')) {
    return { command: process.execPath, prefix: [running] };
  }
  return { command: 'npm', prefix: [] };
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
