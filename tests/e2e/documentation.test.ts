import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const LINK = /\]\((?!https?:)([^)#\s]+)/g;

const documents = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' })
  .split('\n')
  .filter(Boolean);

test('every link between documents leads to a file', () => {
  const broken = documents.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(LINK)]
      .map(([, target = '']) => ({ document, target }))
      .filter(({ target }) => !existsSync(join(dirname(document), target))),
  );
  expect(broken).toEqual([]);
});

test('every page of the documentation is linked from README.md, directly or through other pages', () => {
  const reached = new Set<string>();
  const visit = (document: string) => {
    if (reached.has(document)) return;
    reached.add(document);
    for (const [, target = ''] of readFileSync(document, 'utf8').matchAll(LINK)) {
      const path = join(dirname(document), target);
      if (path.endsWith('.md') && existsSync(path)) visit(path);
    }
  };
  visit('README.md');
  expect(documents.filter((each) => each.startsWith('docs/') && !reached.has(each))).toEqual([]);
});
