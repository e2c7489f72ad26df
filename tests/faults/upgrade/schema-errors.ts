import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Errors of a version on another version's schema: undefined columns, tables and functions, a violated
 * NOT NULL and unknown enum values, as codes of PostgreSQL, Prisma and MariaDB or messages of SQLite.
 */
const SCHEMA_ERROR =
  /["'`](42703|42P01|42883|42804|23502|22P02|P2021|P2022|ER_BAD_FIELD_ERROR|ER_NO_SUCH_TABLE|ER_NO_DEFAULT_FOR_FIELD|GRAPHQL_VALIDATION_FAILED)\\?["'`]|no such column|no such table/;

/** Finds the log lines with schema errors, each after the name of its process. */
export function findSchemaErrors(logs: string): string[] {
  return readdirSync(logs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(logs, name))
        .flatMap((file) => readFileSync(join(logs, name, file), 'utf8').split('\n'))
        .filter((line) => SCHEMA_ERROR.test(line))
        .map((line) => `${name}: ${line.slice(0, 500)}`),
    );
}
