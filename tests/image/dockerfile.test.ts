import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n');

/** What the Dockerfile copies from the project's folder, not from another stage. */
const copied = linesOf('Dockerfile').flatMap((line) => {
  const [, sources = ''] = /^COPY (?!--)(.+) \S+$/.exec(line) ?? [];
  return sources.split(' ').filter(Boolean);
});

test('the file .dockerignore admits everything that the Dockerfile copies, and nothing else', () => {
  const admitted = linesOf('.dockerignore').flatMap((line) =>
    line.startsWith('!') ? [line.slice(1)] : [],
  );
  expect(copied).toEqual(expect.arrayContaining(['package.json', 'contracts', 'router']));
  expect(admitted.sort()).toEqual([...new Set(copied)].sort());
  expect(admitted.filter((path) => !existsSync(path))).toEqual([]);
});
