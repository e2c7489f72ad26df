// npm run check: everything that reading the code can find wrong, without running it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CommandError, root, runCommand, UsageError } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

/** A program of a package, without what npm puts before it. */
const bin = (/** @type {string} */ name) => join('node_modules', '.bin', name);
const node = process.execPath;

/** @type {{ name: string, purpose: string, command: string, args: string[] }[]} */
const checks = [
  {
    name: 'format',
    purpose: 'formatting and lint rules; "npm run fix" fixes most',
    command: bin('biome'),
    args: ['check', '--error-on-warnings', '.'],
  },
  { name: 'types', purpose: 'types', command: bin('tsc'), args: ['-p', '.'] },
  {
    name: 'dependencies',
    purpose: 'which folder may import which',
    command: bin('depcruise'),
    args: [
      ...['--config', '.dependency-cruiser.cjs'],
      ...['contracts', 'platform', 'router', 'subgraphs', 'supervisor'],
    ],
  },
  {
    name: 'composition',
    purpose: 'the supergraph is what the subgraphs compose to; "npm run compose" writes it',
    command: node,
    args: ['scripts/compose.mjs', '--check'],
  },
  {
    name: 'contracts',
    purpose: 'nothing breaks what the last release promised (contracts/baseline)',
    command: node,
    args: ['scripts/baseline.mjs', '--check'],
  },
  {
    name: 'configuration',
    purpose: 'the reference is what the settings say; "npm run configuration" writes it',
    command: node,
    args: ['scripts/configuration.mjs', '--check'],
  },
  {
    name: 'migrations',
    purpose: 'they lead to the schemas, and the previous release can run on them',
    command: node,
    args: ['scripts/migration.mjs', 'check'],
  },
];

const help = `Usage: npm run check [-- names]

Runs these checks, or those that are named:

${checks.map(({ name, purpose }) => `  ${name.padEnd(15)}${purpose}`).join('\n')}`;

await runCommand(help, async (names) => {
  const unknown = names.find((name) => !checks.some((check) => check.name === name));
  if (unknown) throw new UsageError(`There is no check "${unknown}".\n\n${help}`);
  await installAndBuild();

  const failed = [];
  for (const { name, command, args } of checks) {
    if (names.length > 0 && !names.includes(name)) continue;
    const started = performance.now();
    const { code, output } = await run(command, args);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
    if (code !== 0) {
      failed.push(name);
      console.log(output);
    }
  }
  if (failed.length > 0) throw new CommandError(`Failed: ${failed.join(', ')}.`);
});

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
