import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { print } from 'graphql';
import { readSubgraphSchema } from '../graphql/subgraph-schema.ts';

describe('the schema of a subgraph', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spacerent-schema-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  const read = async () => print(await readSubgraphSchema(join(folder, 'schema.graphql')));

  test('the schema of a subgraph contains each imported file once', async () => {
    await write('money.graphql', 'scalar Money');
    await write('price.graphql', '#import "money.graphql"\n\ntype Price { amount: Money }');
    await write(
      'schema.graphql',
      '#import "money.graphql"\n#import "price.graphql"\n\ntype Query { price: Price }',
    );
    expect(await read()).toBe(
      'type Query {\n  price: Price\n}\n\nscalar Money\n\ntype Price {\n  amount: Money\n}',
    );
  });

  test('a schema that imports a missing file is refused with the name of the file', async () => {
    await write('schema.graphql', '#import "money.graphql"\n\ntype Query { ok: Boolean }');
    await expect(read()).rejects.toThrow('money.graphql');
  });
});
