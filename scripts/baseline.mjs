// npm run baseline: writes what the last release promised; --check compares this version with it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, parseOptions, root, runCommand } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

const help = `Usage: npm run baseline [-- --commit <ref>]
       npm run baseline -- --check

Writes contracts/baseline from this version, after a release:
  api.graphql       what clients see of the composed supergraph
  events.json       every event: topic, consumers, schema version, payload as JSON Schema
  migrations.json   the migrations of every context, which must stay as they are
and says what a client, a consumer or the previous release may no longer rely on.

  --commit <ref>  also names the version that the upgrade test starts from, in the file commit
  --check         writes nothing; fails when this version breaks what the baseline promises`;

const folder = join(root, 'contracts/baseline');

await runCommand(help, main);

/** @param {string[]} args */
async function main(args) {
  const { values } = parseOptions(help, {
    args,
    options: { check: { type: 'boolean' }, commit: { type: 'string' } },
  });
  await installAndBuild();
  const now = await promises();
  const broken = await breakingChanges(now, values.check);
  for (const sentence of broken) console.error(`  ${sentence}`);
  if (!values.check) return write(now, values.commit);
  if (broken.length > 0) {
    throw new CommandError(
      `This version breaks what the baseline promises in ${broken.length} places. CONTRIBUTING.md ` +
        'says how a contract changes without that.',
    );
  }
  console.log('This version keeps what the baseline promises.');
}

/** The text of each file, as this version makes it. */
async function promises() {
  const { printClientSchema } = await import('./contracts/client-schema.mjs');
  const { describeEvents } = await import('./contracts/event-contracts.mjs');
  const { listMigrations } = await import('./migration/baseline-migrations.mjs');
  const asText = (/** @type {unknown} */ value) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'api.graphql': await printClientSchema(root),
    'events.json': asText(await describeEvents()),
    'migrations.json': asText(listMigrations(root)),
  };
}

/**
 * @param {Awaited<ReturnType<typeof promises>>} now
 * @param {boolean | undefined} isCheck
 * @returns {Promise<string[]>}
 */
async function breakingChanges(now, isCheck) {
  const { breakingSchemaChanges } = await import('./contracts/client-schema.mjs');
  const { breakingEventChanges } = await import('./contracts/event-changes.mjs');
  const names = /** @type {(keyof typeof now)[]} */ (Object.keys(now));
  const missing = names.filter((name) => read(name) === undefined);
  if (isCheck && missing.length > 0) {
    throw new CommandError(
      `${folder} lacks ${missing.join(', ')}: restore it from the repository.`,
    );
  }
  if (isCheck) baselineCommit();
  if (missing.length > 0) return [];
  const before = { schema: read('api.graphql') ?? '', events: read('events.json') ?? '' };
  return [
    ...(await breakingSchemaChanges(before.schema, now['api.graphql'])),
    ...breakingEventChanges(JSON.parse(before.events), JSON.parse(now['events.json'])),
  ];
}

function baselineCommit() {
  const commit = read('commit')?.trim();
  if (/^[0-9a-f]{40}$/.test(commit ?? '')) return;
  throw new CommandError(`${join(folder, 'commit')} must hold the full hash of a commit.`);
}

/**
 * @param {Record<string, string>} files
 * @param {string | undefined} ref
 */
function write(files, ref) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  if (ref) {
    const args = ['rev-parse', '--verify', `${ref}^{commit}`];
    writeFileSync(join(folder, 'commit'), execFileSync('git', args, { cwd: root }));
  }
  console.log(`Written to ${folder}.`);
}

/** @param {string} name */
function read(name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}
