// npm run check: everything that reading the code can find wrong, without running it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CommandError, root, runCommand, UsageError } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

/** A program of a package, without what npm puts before it. */
const bin = (/** @type {string} */ name) => join('node_modules', '.bin', name);
const node = process.execPath;

/** @type {{ name: string, purpose: string, commands: [program: string, ...args: string[]][] }[]} */
const checks = [
  {
    name: 'format',
    purpose: 'formatting and lint rules; "npm run fix" fixes most',
    commands: [[bin('biome'), 'check', '--error-on-warnings', '.']],
  },
  {
    name: 'types',
    purpose: 'types of the TypeScript files, and of JavaScript by its JSDoc',
    commands: [[bin('tsc'), '-p', '.']],
  },
  {
    name: 'dependencies',
    purpose: 'which folder may import which',
    commands: [
      [
        bin('depcruise'),
        ...['--config', '.dependency-cruiser.cjs'],
        ...['contracts', 'platform', 'router', 'subgraphs', 'supervisor'],
        ...['bench', 'examples', 'scripts', 'tests', 'jest.config.mjs'],
      ],
    ],
  },
  {
    name: 'composition',
    purpose: 'the supergraph is what the subgraphs compose to; "npm run compose" writes it',
    commands: [[node, 'scripts/compose.mjs', '--check']],
  },
  {
    name: 'contracts',
    purpose: 'nothing breaks what the last release promised (contracts/baseline)',
    commands: [[node, 'scripts/baseline.mjs', '--check']],
  },
  {
    name: 'configuration',
    purpose: 'the reference is what the settings say; "npm run configuration" writes it',
    commands: [[node, 'scripts/configuration.mjs', '--check']],
  },
  {
    name: 'migrations',
    purpose: 'they lead to the schemas, and the previous release can run on them',
    commands: [[node, 'scripts/migration.mjs', 'check']],
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
  for (const { name, commands } of checks) {
    if (names.length > 0 && !names.includes(name)) continue;
    const started = performance.now();
    const { isSound, output } = await runAll(commands);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${isSound ? '✓' : '✗'} ${name} (${seconds} s)`);
    if (!isSound) {
      failed.push(name);
      console.log(output);
    }
  }
  if (failed.length > 0) throw new CommandError(`Failed: ${failed.join(', ')}.`);
});

/**
 * Runs the commands one after the other; `output` is that of the ones which failed.
 *
 * @param {[program: string, ...args: string[]][]} commands
 */
async function runAll(commands) {
  let output = '';
  let isSound = true;
  for (const [program, ...args] of commands) {
    const result = await run(program, args);
    if (result.code === 0) continue;
    isSound = false;
    output += result.output;
  }
  return { isSound, output };
}

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
