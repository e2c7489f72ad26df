import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const contexts = readdirSync(join(root, 'prisma'));

/** Generates the Prisma clients whose schema changed since; two at a time. */
export async function generatePrismaClients() {
  const due = contexts
    .flatMap(findClients)
    .filter((client) => readText(client.stamp) !== client.hash);
  const workers = [0, 1].map(async () => {
    for (let client = due.shift(); client; client = due.shift()) await generate(client);
  });
  await Promise.all(workers);
}

/** @param {string} context */
function findClients(context) {
  const file = join(root, 'prisma', context, 'schema.prisma');
  const schema = readText(file);
  if (schema === undefined) return [];
  const generated = join(root, 'prisma', context, 'generated');
  if (context !== 'mypage') return [client(context, schema, file, generated)];
  return [
    client('mypage (SQLite)', schema, file, join(generated, 'sqlite')),
    client(
      'mypage (MySQL)',
      toMySql(schema),
      join(generated, 'mysql.prisma'),
      join(generated, 'mysql'),
    ),
  ];
}

/**
 * @param {string} name
 * @param {string} schema
 * @param {string} file
 * @param {string} output
 */
function client(name, schema, file, output) {
  const { version } = JSON.parse(readText(join(root, 'node_modules/prisma/package.json')) ?? '{}');
  const hash = createHash('sha256').update(`${version}\n${schema}`).digest('hex');
  return { name, schema, file, output, hash, stamp: join(output, '.stamp') };
}

/**
 * Prisma allows one provider for each schema file, so mypage's MySQL schema is derived from the
 * SQLite one. A comment `// mysql: @db.VarChar(64)` ends a field's line with that attribute.
 *
 * @param {string} schema
 */
function toMySql(schema) {
  const derived = schema
    .replace(/(provider\s*=\s*)"sqlite"/, '$1"mysql"')
    .replace(/(output\s*=\s*)"[^"]*"/, '$1"./mysql"')
    .replace(/[ \t]*\/\/ mysql: (@.*)$/gm, ' $1');
  return `// Derived from ../schema.prisma by scripts/prisma-clients.mjs: change it there.\n${derived}`;
}

/** @param {ReturnType<typeof client>} what */
async function generate({ name, schema, file, output, hash, stamp }) {
  console.log(`Generating the Prisma client of ${name}`);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(dirname(file), { recursive: true });
  if (readText(file) !== schema) writeFileSync(file, schema);
  const { code, text } = await runPrisma([
    'generate',
    '--no-hints',
    '--schema',
    relative(root, file),
  ]);
  if (code !== 0 || !existsSync(output)) {
    throw new Error(`Prisma could not generate the client of ${name}:\n${text.trim()}`);
  }
  writeFileSync(stamp, hash);
}

/**
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, text: string }>}
 */
function runPrisma(args) {
  const cli = join(root, 'node_modules/prisma/build/index.js');
  const env = {
    ...process.env,
    // Without it the CLI downloads a schema engine before it does anything. Generating needs none.
    PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    NO_COLOR: '1',
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: root, env });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
