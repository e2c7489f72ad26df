import { readFileSync } from 'node:fs';

const FILE = '_FILE';

/**
 * The named settings as they are given: `NAME` itself, or the file that `NAME_FILE` names, as Docker and
 * Kubernetes hand out secrets. One newline at a file's end is dropped; empty strings count as absent.
 * `problems` has a sentence for each that could not be read; `wrong` their names.
 */
export function givenSettings(
  names: readonly string[],
  env: Record<string, string | undefined>,
): { given: Record<string, string>; problems: string[]; wrong: Set<string> } {
  const given: Record<string, string> = {};
  const problems: string[] = [];
  const wrong = new Set<string>();
  for (const name of names) {
    const value = env[name];
    const file = env[`${name}${FILE}`];
    if (value) given[name] = value;
    if (!file) continue;
    const read = value ? `is set, and so is ${name}: leave one of them out` : readSetting(file);
    if (typeof read === 'object') {
      given[name] = read.value;
    } else {
      problems.push(`${name}${FILE} ${read}.`);
      wrong.add(name);
    }
  }
  return { given, problems, wrong };
}

/** The same environment without the files of the named settings. */
export function withoutFiles(
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Record<string, string | undefined> {
  const files = new Set(names.map((name) => `${name}${FILE}`));
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
