import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { projectFile } from '#platform/config/project.ts';

/** The format of the file; a release reads its own and older ones. */
export const FORMAT = 1;
/** The last entry of the file: one that was cut off has none. */
export const MANIFEST = 'manifest.json';

const database = z.object({
  /** The names of the migrations that it has. */
  migrations: z.array(z.string()),
  /** The rows of its tables when the backup began; the backup may have more. */
  rows: z.record(z.string(), z.int()),
});
export type DatabaseSummary = z.infer<typeof database>;

const manifest = z.object({
  format: z.int(),
  release: z.string(),
  takenAt: z.iso.datetime(),
  /** PostgreSQL's files depend on its major version and on the processor. */
  postgres: z.object({ major: z.string(), architecture: z.string() }),
  databases: z.record(z.string(), database),
  /** From this id on, events are compared with the inboxes of the databases that are files of their own. */
  redeliverFrom: z.uuid(),
  /** Folders that PostgreSQL needs though they may be empty. */
  folders: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifest>;
export type ManifestFile = Manifest['files'][number];

const shortest = z.object({ format: z.int(), release: z.string() });

/** Throws a sentence for a manifest that this release cannot read. */
export function parseManifest(text: string, file: string): Manifest {
  const content = parseJson(text, file);
  const { format, release } = shortest.parse(content);
  if (format > FORMAT || isNewer(release, ownRelease())) {
    throw new Error(
      `${file} was made by release ${release}, which is newer than this one (${ownRelease()}): restore it with that release.`,
    );
  }
  const parsed = manifest.safeParse(content);
  if (!parsed.success) throw new Error(`${file} has a damaged manifest.`);
  return parsed.data;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${file} has a damaged manifest.`);
  }
}

export function ownRelease(): string {
  return JSON.parse(readFileSync(projectFile('package.json'), 'utf8')).version;
}

/** Compares versions such as 0.2.0 and 0.10.0. */
export function isNewer(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) > 0;
}

/** Throws a sentence when a database has a migration that this release does not know. */
export function requireKnownMigrations({ databases }: Manifest, file: string): void {
  for (const [name, { migrations }] of Object.entries(databases)) {
    const known = new Set(migrationsOf(name));
    const unknown = migrations.find((migration) => !known.has(migration));
    if (unknown === undefined) continue;
    throw new Error(
      `${file} was made by a newer release: its database ${name} has the migration ${unknown}, which this one ` +
        'does not know. Restore it with that release.',
    );
  }
}

/** The migrations of this release; those of the file databases have a folder for each engine. */
function migrationsOf(context: string): string[] {
  const folder = projectFile(`prisma/${context}/migrations`);
  const names = readdirSync(folder);
  return names.includes('sqlite') ? readdirSync(`${folder}/sqlite`) : names;
}
