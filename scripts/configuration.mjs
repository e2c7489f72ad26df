// npm run configuration: writes the reference of all settings from the services' schemas.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError, parseOptions, root, runCommand } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

const help = `Usage: npm run configuration [-- --check]

Writes from the schemas of the services' settings:
  docs/operations/configuration.md   every variable: who reads it, its default, its meaning
  .env.example                       the same as a file of settings to fill in

  --check  writes nothing; fails when one of the files is not what would be written`;

await runCommand(help, main);

/** @param {string[]} args */
async function main(args) {
  const { values } = parseOptions(help, { args, options: { check: { type: 'boolean' } } });
  await installAndBuild();
  const files = Object.entries(await print());
  if (!values.check) {
    for (const [name, text] of files) write(name, text);
    return console.log(`Written: ${files.map(([name]) => name).join(', ')}.`);
  }
  const stale = files.filter(([name, text]) => read(name) !== text).map(([name]) => name);
  if (stale.length > 0) {
    throw new CommandError(
      `Not what the settings say: ${stale.join(', ')}. Run "npm run configuration" and commit the files.`,
    );
  }
  console.log(`${files.map(([name]) => name).join(' and ')} are what the settings say.`);
}

/** The text of each file by its name. */
async function print() {
  const { loadReaders } = await import('./configuration/readers.mjs');
  const { describeSettings } = await import('./configuration/settings.mjs');
  const { printReference } = await import('./configuration/reference.mjs');
  const { printEnvExample } = await import('./configuration/env-example.mjs');
  const load = (/** @type {string} */ module) =>
    import(pathToFileURL(join(root, 'dist', `${module}.js`)).href);
  const loaded = await loadReaders(load);
  const settings = describeSettings(loaded);
  return {
    'docs/operations/configuration.md': printReference(settings, loaded.SETTING_GROUPS),
    '.env.example': printEnvExample(settings, loaded.SETTING_GROUPS),
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function write(name, text) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

/** @param {string} name */
function read(name) {
  try {
    return readFileSync(join(root, name), 'utf8');
  } catch {
    return undefined;
  }
}
