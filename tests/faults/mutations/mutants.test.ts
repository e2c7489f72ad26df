import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
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

// A later migration that defines a function anew would bring the removed line back.
test('each mutation of a migration edits the last one that has the line', () => {
  const outdated = mutations
    .flatMap(({ edits }) => edits)
    .filter(([file]) => file.endsWith('/migration.sql'))
    .filter(([file, text]) => laterMigrations(file).some((later) => readText(later).includes(text)))
    .map(([file, text]) => ({ file, text }));
  expect(outdated).toEqual([]);
});

function laterMigrations(file: string): string[] {
  const folder = dirname(dirname(file));
  return readdirSync(projectFile(folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name > basename(dirname(file)))
    .map(({ name }) => `${folder}/${name}/migration.sql`);
}

const readText = (file: string) => readFileSync(projectFile(file), 'utf8');
