import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { mutants } from './mutants.mjs';

const root = join(import.meta.dirname, '../..');

test.each(mutants)('the mutation test "$name" finds what it takes away', ({ edits }) => {
  for (const [file, text] of edits) {
    const occurrences = readFileSync(join(root, file), 'utf8').split(text).length - 1;
    expect({ file, text, occurrences }).toEqual({ file, text, occurrences: 1 });
  }
});
