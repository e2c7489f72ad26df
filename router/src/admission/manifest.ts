import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Documents } from './documents.ts';
import { RequestErrors } from './refusals.ts';

/** The format that `@apollo/generate-persisted-query-manifest` writes. */
const manifestShape = z.object({
  format: z.literal('apollo-persisted-query-manifest', {
    error: 'must be "apollo-persisted-query-manifest"',
  }),
  version: z.literal(1, { error: 'must be 1' }),
  operations: z.array(
    z.object({
      id: z.string().min(1),
      name: z.string().min(1),
      type: z.enum(['query', 'mutation', 'subscription']),
      body: z.string().min(1),
    }),
  ),
});

export type Manifest = z.infer<typeof manifestShape>;

/** Reads a manifest; throws one error with everything that is wrong with the file. */
export async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new Error(`The manifest of operations ${path} cannot be read: ${error.message}.`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`The manifest of operations ${path} is not JSON.`);
  }
  const manifest = manifestShape.safeParse(json);
  if (manifest.success) return manifest.data;
  const problems = manifest.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'It'}: ${message}.`,
  );
  throw unusableManifest(path, problems);
}

/** Checks each operation by the schema and the limits; throws one error with every problem. */
export function checkManifest(
  path: string,
  { operations }: Manifest,
  documents: Documents,
  maxCost: number,
): void {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const { id, name, type, body } of operations) {
    const report = (problem: string) =>
      problems.push(`The operation "${name}" (${id}): ${problem}`);
    if (ids.has(id)) report('its id is there twice.');
    ids.add(id);
    try {
      const examined = [...documents.examine(body).operations];
      if (examined.length !== 1) report('its body is not one operation.');
      for (const [operation, { estimateCost }] of examined) {
        if (operation.name?.value !== name || operation.operation !== type) {
          report(`its body is no ${type} of this name.`);
        }
        const cost = estimateCost({});
        if (cost > maxCost) report(`it costs at least ${cost}, ${maxCost} are allowed.`);
      }
    } catch (error) {
      if (!(error instanceof RequestErrors)) throw error;
      for (const { message } of error.errors) report(message);
    }
  }
  if (problems.length > 0) throw unusableManifest(path, problems);
}

function unusableManifest(path: string, problems: string[]): Error {
  return new Error(`The manifest of operations ${path} is not usable:\n  ${problems.join('\n  ')}`);
}
