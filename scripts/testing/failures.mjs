// What failed in a run of Jest, from the results that it wrote as JSON.
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from '../command.mjs';

/** Enough for an assertion with its code frame; the whole text stands in the output of the run. */
const MAX_LINES_OF_A_FILE = 60;

/**
 * The failed test files with their messages, each as one text. None where Jest wrote no results: it was ended, or
 * did not start.
 *
 * @param {string} resultsFile
 * @returns {Promise<string[]>}
 */
export async function readFailures(resultsFile) {
  try {
    /** @type {{ testResults: { name: string, status: string, message: string }[] }} */
    const { testResults } = JSON.parse(await readFile(resultsFile, 'utf8'));
    return testResults
      .filter(({ status }) => status === 'failed')
      .map(({ name, message }) => `FAIL ${relative(root, name)}\n${toExcerpt(message)}`);
  } catch {
    return [];
  }
}

/** @param {string} message */
function toExcerpt(message) {
  const lines = stripVTControlCharacters(message).trim().split('\n');
  const excerpt = lines.slice(0, MAX_LINES_OF_A_FILE).join('\n');
  const rest = lines.length - MAX_LINES_OF_A_FILE;
  return rest > 0 ? `${excerpt}\n  … ${rest} more lines in the output above` : excerpt;
}
