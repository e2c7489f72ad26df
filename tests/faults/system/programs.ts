import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Servers are installed in sbin folders, which are often missing in an ordinary user's PATH. */
const SBIN_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Throws an error that names the programs that are not installed on this machine. */
export function requirePrograms(...names: string[]): void {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN_FOLDERS];
  const missing = names.filter((name) => !folders.some((folder) => isProgram(join(folder, name))));
  if (missing.length === 0) return;
  const verb = missing.length === 1 ? 'is' : 'are';
  throw new Error(
    `The servers profile needs ${names.join(' and ')}, but ${missing.join(' and ')} ${verb} not installed on this machine.`,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
