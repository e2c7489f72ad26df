import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { concatAST, type DocumentNode, parse } from 'graphql';

const IMPORT = /^#import "([^"]+)"$/gm;

/**
 * Reads a subgraph's schema: the file's definitions, and those of each file that a line
 * `#import "path"` names, relative to the file; a file that is imported twice is read once. Rejects when
 * a file is missing or is not GraphQL.
 */
export async function readSubgraphSchema(file: string): Promise<DocumentNode> {
  const texts = new Map<string, string>();
  await readInto(texts, file);
  return concatAST([...texts.values()].map((text) => parse(text)));
}

async function readInto(texts: Map<string, string>, file: string): Promise<void> {
  if (texts.has(file)) return;
  const text = await readFile(file, 'utf8');
  texts.set(file, text);
  for (const [, path = ''] of text.matchAll(IMPORT)) {
    await readInto(texts, join(dirname(file), path));
  }
}
