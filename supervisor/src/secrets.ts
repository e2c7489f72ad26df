import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** The secret in `file`, which is created on first use and readable only by its owner. */
export function readOrCreateSecret(file: string): string {
  return readSecret(file) ?? createSecret(file);
}

export function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function createSecret(file: string): string {
  const secret = randomBytes(32).toString('base64url');
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${secret}\n`, { mode: 0o600, flush: true });
  // A crash in the middle must not leave an incomplete secret under the final name.
  rmSync(file, { force: true });
  linkSync(draft, file);
  rmSync(draft);
  return secret;
}
