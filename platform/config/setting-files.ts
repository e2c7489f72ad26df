import { readFileSync } from 'node:fs';

const FILE_SUFFIX = '_FILE';

/**
 * The values of the named settings: `NAME` itself, or the content of the file that `NAME_FILE` names, which
 * is how Docker and Kubernetes pass secrets. One newline at a file's end is removed; empty strings count as
 * absent. `problems` has a sentence for each setting that could not be read; `wrong` has their names.
 */
export function readSettingValues(
  names: readonly string[],
  env: Record<string, string | undefined>,
): { given: Record<string, string>; problems: string[]; wrong: Set<string> } {
  const given: Record<string, string> = {};
  const problems: string[] = [];
  const wrong = new Set<string>();
  for (const name of names) {
    const value = env[name];
    const file = env[`${name}${FILE_SUFFIX}`];
    if (value) given[name] = value;
    if (!file) continue;
    const result = value ? `is set, and so is ${name}: leave one of them out` : readSetting(file);
    if (typeof result === 'object') {
      given[name] = result.value;
    } else {
      problems.push(`${name}${FILE_SUFFIX} ${result}.`);
      wrong.add(name);
    }
  }
  return { given, problems, wrong };
}

/** The environment without the `NAME_FILE` variables of the named settings. */
export function withoutFiles(
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Record<string, string | undefined> {
  const files = new Set(names.map((name) => `${name}${FILE_SUFFIX}`));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !files.has(name)));
}

function readSetting(file: string): { value: string } | string {
  try {
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return value === '' ? `names an empty file: ${file}` : { value };
  } catch (error) {
    return `names a file that cannot be read: ${file} (${(error as NodeJS.ErrnoException).code})`;
  }
}
