import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
import type { Mutation } from './mutation.ts';
import { mutations } from './mutations.mjs';

test.each<Mutation>([...mutations])(
  'the mutation "without $name" applies to the sources',
  ({ edits }) => {
    for (const [file, text] of edits) {
      const occurrences = readFileSync(projectFile(file), 'utf8').split(text).length - 1;
      expect({ file, text, occurrences }).toEqual({ file, text, occurrences: 1 });
    }
  },
);
