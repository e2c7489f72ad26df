// npm run test:mutation: takes each guarantee away in a copy, and shows that the tests notice.
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

Copies the project to a temporary folder. One at a time, takes away there what keeps bookings from
being lost or doubled (tests/faults/mutants.mjs lists the pieces), and runs the tests that watch over
it: they must fail. First the same tests run on the untouched copy: they must pass.
Takes about 30 s a piece. With a pattern only the pieces whose name contains it.

Exit code 1 when the tests do not notice that a piece is missing.`;

/** @typedef {import('../tests/faults/mutants.mjs').Mutant} Mutant */

await runCommand(help, main);

/** @param {string[]} args */
async function main([pattern = '']) {
  await installAndBuild();
  const { mutants } = await import('../tests/faults/mutants.mjs');
  const chosen = mutants.filter(({ name }) => name.includes(pattern));
  if (chosen.length === 0) {
    console.error(
      `No piece is named like "${pattern}":\n${mutants.map((m) => `  ${m.name}`).join('\n')}`,
    );
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
    process.exitCode = judge(copy, chosen) ? 0 : 1;
  } finally {
    remove();
  }
}

/**
 * @param {string} copy
 * @param {Mutant[]} chosen
 */
function judge(copy, chosen) {
  const patterns = [...new Set(chosen.map(({ tests }) => tests))];
  const sound = runTests(copy, patterns.join('|'));
  if (sound.failed.length > 0 || sound.passed === 0) {
    console.error(`The tests do not pass on the untouched copy:\n${sound.output}`);
    return false;
  }
  console.log(`  untouched: ${sound.passed} tests pass`);
  let survivors = 0;
  for (const mutant of chosen) {
    const restore = mutate(copy, mutant);
    const { failed } = runTests(copy, mutant.tests);
    restore();
    if (failed.length === 0) survivors += 1;
    const verdict = failed.length > 0 ? `caught by ${failed.length}: ${failed[0]}` : 'NOT CAUGHT';
    console.log(`${failed.length > 0 ? '✓' : '✗'} without ${mutant.name}\n    ${verdict}`);
  }
  console.log(`${chosen.length - survivors} of ${chosen.length} are caught.`);
  return survivors === 0;
}

/** What git knows or would take, and the generated clients; the packages are linked. */
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
 * Makes the edits; returns what takes them back.
 *
 * @param {string} copy
 * @param {Mutant} mutant
 */
function mutate(copy, { name, edits }) {
  const originals = new Map();
  for (const [file, text, replacement] of edits) {
    const path = join(copy, file);
    const source = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, source);
    if (source.split(text).length !== 2) {
      throw new Error(`${file} does not contain exactly once what "${name}" takes away:\n${text}`);
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
