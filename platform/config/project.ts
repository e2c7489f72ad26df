import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The absolute path of a file of the project that is read at run time (a schema, migrations). Finds the
 * project's root, the folder with `supergraph.yaml`, both from the source tree and from the build.
 */
export function projectFile(relativePath: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'supergraph.yaml'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('supergraph.yaml, the mark of the root, is not found');
    folder = parent;
  }
  return join(folder, relativePath);
}

/** The version of this release. */
export function projectVersion(): string {
  const { version } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8'));
  return String(version);
}
