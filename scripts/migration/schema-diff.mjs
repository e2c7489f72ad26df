import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

// The Prisma CLI downloads a native schema engine; this is the same engine as WebAssembly, from
// npm. Its package expects a bundler that imports .wasm files, so it is put together by hand.
const wasmFile = fileURLToPath(
  import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm'),
);
/**
 * What the library of types for Node lacks.
 *
 * @type {{
 *   WebAssembly: {
 *     instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: any } }>,
 *   },
 *   PRISMA_WASM_PANIC_REGISTRY?: { set_message(message: string): void },
 * }}
 */
const globals = /** @type {any} */ (globalThis);

/** @type {Promise<void> | undefined} */
let loaded;

async function load() {
  globals.PRISMA_WASM_PANIC_REGISTRY = {
    set_message(message) {
      throw new Error(`Prisma's schema engine panicked: ${message}`);
    },
  };
  const imports = { './schema_engine_bg.js': engine };
  const { instance } = await globals.WebAssembly.instantiate(await readFile(wasmFile), imports);
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

/**
 * The SQL that leads from the database to the Prisma schema in `schemaFile`; '' when none does.
 *
 * @param {string} databaseUrl
 * @param {string} schemaFile
 */
export async function diffWithSchema(databaseUrl, schemaFile) {
  loaded ??= load();
  await loaded;
  const files = [{ path: schemaFile, content: await readFile(schemaFile, 'utf8') }];
  const { adapter, close } = connect(databaseUrl);
  try {
    const schemaEngine = await engine.SchemaEngine.new(
      { datamodels: files.map(({ path, content }) => [path, content]) },
      () => {},
      bindMigrationAwareSqlAdapterFactory(adapter),
    );
    const { stdout, exitCode } = await schemaEngine.diff({
      from: { tag: 'schemaDatasource', files, configDir: '.' },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    schemaEngine.free();
    return exitCode === 0 ? '' : (stdout ?? '');
  } finally {
    await close();
  }
}

/**
 * What is changed of Prisma's connection; its types hide one of the methods.
 *
 * @typedef {Pick<Awaited<ReturnType<PrismaPg['connect']>>, 'queryRaw'> & {
 *   performIO(...args: unknown[]): Promise<{ fields: { dataTypeID: number }[] }>,
 * }} PgConnection
 */

/** @param {string} databaseUrl */
function connect(databaseUrl) {
  if (databaseUrl.startsWith('file:')) {
    return { adapter: new PrismaLibSql({ url: databaseUrl }), close: async () => {} };
  }
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const adapter = new PrismaPg(pool);
  const plainConnect = adapter.connect.bind(adapter);
  adapter.connect = async () => {
    const connection = await plainConnect();
    readChars(/** @type {PgConnection} */ (/** @type {unknown} */ (connection)));
    return connection;
  };
  return { adapter, close: () => pool.end() };
}

/**
 * The engine reads catalogue columns of the type "char", which Prisma's adapter (7.10) does
 * not know: it gets them as text, and the engine gets the result as characters.
 *
 * @param {PgConnection} connection
 */
function readChars(connection) {
  const charOid = 18;
  const textOid = 25;
  const { queryRaw } = connection;
  connection.queryRaw = async (query) => {
    /** @type {number[]} */
    const chars = [];
    const disguised = Object.create(connection, {
      performIO: {
        async value(/** @type {unknown[]} */ ...args) {
          const result = await connection.performIO(...args);
          result.fields.forEach((field, index) => {
            if (field.dataTypeID !== charOid) return;
            field.dataTypeID = textOid;
            chars.push(index);
          });
          return result;
        },
      },
    });
    const result = await queryRaw.call(disguised, query);
    for (const index of chars) result.columnTypes[index] = ColumnTypeEnum.Character;
    return result;
  };
}
