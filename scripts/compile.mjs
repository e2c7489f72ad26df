// Compiles the files named on stdin (a JSON array, relative to the root) from TypeScript to dist/.
// A process of its own, so that the compiler's memory is gone when the program runs.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { transform } from '@swc/core';

const root = join(import.meta.dirname, '..');

/** @type {import('@swc/core').Options & { jsc: { rewriteRelativeImportExtensions: boolean } }} */
const options = {
  configFile: false,
  swcrc: false,
  sourceMaps: true,
  module: { type: 'es6' },
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript' },
    // './x.ts' becomes './x.js'; '#platform/x.ts' stays, package.json "imports" maps it.
    rewriteRelativeImportExtensions: true,
  },
};

/** @type {string[]} */
const files = JSON.parse(readFileSync(0, 'utf8'));
const outcomes = await Promise.allSettled(files.map(compile));
for (const outcome of outcomes) {
  if (outcome.status === 'fulfilled') continue;
  console.error(outcome.reason.message);
  process.exitCode = 1;
}

/** @param {string} file */
async function compile(file) {
  const source = join(root, file);
  const output = join(root, 'dist', file.replace(/\.ts$/, '.js'));
  const { code, map } = await transform(readFileSync(source, 'utf8'), {
    ...options,
    filename: source,
    sourceFileName: relative(dirname(output), source),
  }).catch((error) => {
    throw new Error(`${file}: ${error.message}`);
  });
  mkdirSync(dirname(output), { recursive: true });
  write(`${output}.map`, map ?? '');
  write(output, `${code}//# sourceMappingURL=${basename(output)}.map\n`);
}

/**
 * A service that starts at this moment sees the old file or the new one, never half of one.
 *
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
