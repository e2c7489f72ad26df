import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Servers are installed in sbin folders, which are often missing in an ordinary user's PATH. */
const SBIN_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Throws an error that names the programs that are not installed on this machine. */
export function requirePrograms(...names: string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const verb = missing.length === 1 ? 'is' : 'are';
  throw new Error(
    `The servers profile needs ${names.join(' and ')}, but ${missing.join(' and ')} ${verb} not installed on this machine.`,
  );
}

/**
 * Throws an error that names the programs that are not installed, each with the Debian package that
 * `packages` has it in.
 */
export function requirePackages(packages: Readonly<Record<string, string>>): void {
  const missing = Object.entries(packages).filter(([name]) => !isInstalled(name));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(' and ');
  const verb = missing.length === 1 ? 'is' : 'are';
  const install = missing.map(([, name]) => name).join(' ');
  throw new Error(
    `This needs ${names}, which ${verb} not installed on this machine. On Debian: apt install ${install}`,
  );
}

export function isInstalled(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN_FOLDERS];
  return folders.some((folder) => isProgram(join(folder, name)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
