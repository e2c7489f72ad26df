import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `work` while holding `file` as a lock between processes; others print a line and wait.
 * When the owner of the lock is dead, another process acquires it.
 *
 * @template T
 * @param {string} file
 * @param {string} what
 * @param {() => T | Promise<T>} work
 */
export async function withFileLock(file, what, work) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    await acquire(file, own, what);
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/**
 * @param {string} file
 * @param {string} own
 * @param {string} what
 */
async function acquire(file, own, what) {
  let announced = false;
  for (;;) {
    try {
      // link() rather than open('wx'): the lock appears together with its content.
      linkSync(own, file);
      return;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const owner = readOwner(file);
    if (owner !== undefined && !isAlive(owner)) {
      discard(file, owner);
      continue;
    }
    if (!announced && owner !== undefined) {
      console.log(`Waiting for ${what} by process ${owner} …`);
      announced = true;
    }
    await delay(150);
  }
}

/**
 * Removes the dead owner's lock; restores the file if another process has acquired the lock first.
 *
 * @param {string} file
 * @param {number} deadOwner
 */
function discard(file, deadOwner) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    if (readOwner(aside) !== deadOwner) linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {string} file */
function readOwner(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
