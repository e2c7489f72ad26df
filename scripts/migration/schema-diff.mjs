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
let loaded;

async function load() {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message(message) {
      throw new Error(`Prisma's schema engine panicked: ${message}`);
    },
  };
  const imports = { './schema_engine_bg.js': engine };
  const { instance } = await WebAssembly.instantiate(await readFile(wasmFile), imports);
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

/** The SQL that leads from the database to the Prisma schema in `schemaFile`; '' when none does. */
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
    return exitCode === 0 ? '' : stdout;
  } finally {
    await close();
  }
}

function connect(databaseUrl) {
  if (databaseUrl.startsWith('file:')) {
    return { adapter: new PrismaLibSql({ url: databaseUrl }), close: async () => {} };
  }
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const adapter = new PrismaPg(pool);
  const plainConnect = adapter.connect.bind(adapter);
  adapter.connect = async () => readingChars(await plainConnect());
  return { adapter, close: () => pool.end() };
}

/**
 * The engine reads catalogue columns of the type "char", of which Prisma's adapter (7.10) knows
 * nothing: it is shown a text, and the engine is told that it is a character.
 */
function readingChars(connection) {
  const charOid = 18;
  const textOid = 25;
  const { queryRaw } = connection;
  connection.queryRaw = async (query) => {
    const chars = [];
    const disguised = Object.create(connection, {
      performIO: {
        async value(...args) {
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
    const answer = await queryRaw.call(disguised, query);
    for (const index of chars) answer.columnTypes[index] = ColumnTypeEnum.Character;
    return answer;
  };
  return connection;
}
