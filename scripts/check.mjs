// npm run check: everything that reading the code can find wrong, without running it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const bin = (name) => join('node_modules', '.bin', name);

const checks = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['types', bin('tsc'), ['-p', '.']],
  [
    'dependency rules',
    bin('depcruise'),
    [
      '--config',
      '.dependency-cruiser.cjs',
      'contracts',
      'platform',
      'router',
      'subgraphs',
      'supervisor',
    ],
  ],
  ['composition', process.execPath, ['scripts/compose.mjs', '--check']],
  ['contracts', process.execPath, ['scripts/baseline.mjs', '--check']],
  ['configuration', process.execPath, ['scripts/configuration.mjs', '--check']],
  ['migrations', process.execPath, ['scripts/migration.mjs', 'check']],
];

if (process.argv.includes('--help')) {
  console.log(`npm run check\n\nChecks ${checks.map(([name]) => name).join(', ')}.`);
  process.exit(0);
}

const { ensureInstalled } = await import('./install.mjs');
const { prepare } = await import('./prepare.mjs');
await ensureInstalled();
await prepare();

const failed = [];
for (const [name, command, args] of checks) {
  const started = performance.now();
  const { code, output } = await run(command, args);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (code !== 0) {
    failed.push(name);
    console.log(output);
  }
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}.`);
  process.exit(1);
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}
