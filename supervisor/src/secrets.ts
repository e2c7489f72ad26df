import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** The secret kept in `file`, made on first use and readable by its owner alone. */
export function keptSecret(file: string): string {
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
  // A power cut in the middle leaves no half of a secret under the real name.
  rmSync(file, { force: true });
  linkSync(draft, file);
  rmSync(draft);
  return secret;
}
