// npm run test:mutation: removes each guarantee in a copy, and checks that a test fails.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runCommand } from './command.mjs';
import { installAndBuild } from './run-built.mjs';

const help = `Usage: npm run test:mutation [-- pattern]

Copies the project to a temporary folder. There it removes one guarantee at a time that keeps bookings
from being lost or duplicated (listed in tests/faults/mutations), and runs the tests of it: they must
fail. First the same tests run on the unchanged copy: they must pass.
Each mutation takes about 30 s. A pattern selects the mutations whose name contains it.

Exit code 1 when the tests pass in spite of a mutation.`;

/** @typedef {import('../tests/faults/mutations/mutation.ts').Mutation} Mutation */

await runCommand(help, main);

/** @param {string[]} args */
async function main([pattern = '']) {
  await installAndBuild();
  const { mutations } = await import('../tests/faults/mutations/mutations.mjs');
  const selected = mutations.filter(({ name }) => name.includes(pattern));
  if (selected.length === 0) {
    const names = mutations.map(({ name }) => `  ${name}`).join('\n');
    console.error(`No mutation has "${pattern}" in its name:\n${names}`);
    process.exitCode = 1;
    return;
  }
  const copy = copyProject();
  const remove = () => rmSync(copy, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      remove();
      process.exit(1);
    });
  }
  try {
    process.exitCode = areAllDetected(copy, selected) ? 0 : 1;
  } finally {
    remove();
  }
}

/**
 * @param {string} copy
 * @param {readonly Mutation[]} mutations
 */
function areAllDetected(copy, mutations) {
  const patterns = [...new Set(mutations.map(({ tests }) => tests))];
  const unchanged = runTests(copy, patterns.join('|'));
  if (unchanged.failed.length > 0 || unchanged.passed === 0) {
    console.error(`The tests do not pass on the unchanged copy:\n${unchanged.output}`);
    return false;
  }
  console.log(`  unchanged: ${unchanged.passed} tests pass`);
  let detected = 0;
  for (const mutation of mutations) {
    const undo = apply(copy, mutation);
    const { failed } = runTests(copy, mutation.tests);
    undo();
    const isDetected = failed.length > 0;
    if (isDetected) detected += 1;
    const result = isDetected ? `${failed.length} tests fail: ${failed[0]}` : 'NOT DETECTED';
    console.log(`${isDetected ? '✓' : '✗'} without ${mutation.name}\n    ${result}`);
  }
  console.log(`${detected} of ${mutations.length} mutations are detected.`);
  return detected === mutations.length;
}

/** Copies the files that git tracks or would add, and the generated clients; links the packages. */
function copyProject() {
  const copy = mkdtempSync(join(tmpdir(), 'spacerent-mutants-'));
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0');
  const generated = readdirSync(join(root, 'prisma')).map((name) => `prisma/${name}/generated`);
  for (const path of [...files.filter(Boolean), ...generated]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/**
 * Makes the edits; returns a function that undoes them.
 *
 * @param {string} copy
 * @param {Mutation} mutation
 */
function apply(copy, { name, edits }) {
  const originals = new Map();
  for (const [file, text, replacement] of edits) {
    const path = join(copy, file);
    const source = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, source);
    if (source.split(text).length !== 2) {
      throw new Error(`${file} must contain exactly once what "${name}" replaces:\n${text}`);
    }
    writeFileSync(
      path,
      source.replace(text, () => replacement),
    );
  }
  return () => {
    for (const [path, source] of originals) writeFileSync(path, source);
  };
}

/**
 * @param {string} copy
 * @param {string} testPathPatterns
 */
function runTests(copy, testPathPatterns) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...[
        'scripts/test.mjs',
        '--selectProjects',
        'unit',
        'integration',
        '--json',
        `--outputFile=${report}`,
      ],
      ...['--testPathPatterns', testPathPatterns],
    ],
    { cwd: copy, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, CI: '' } },
  );
  const output = `${stdout}\n${stderr}`;
  /** @type {{ testResults: { assertionResults: { status: string, fullName: string }[] }[] }} */
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new Error(`The tests did not run:\n${output}`);
  }
  const all = results.testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    output,
    passed: all.filter(({ status }) => status === 'passed').length,
    failed: all.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  };
}
