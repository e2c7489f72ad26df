import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a service says that meets a schema, a type or an enum value of another version: undefined
 * columns, tables and functions, violated NOT NULL, values that a type lacks, in SQL and in Prisma.
 */
const STRANGE =
  /["'`](42703|42P01|42883|42804|23502|22P02|P2021|P2022|ER_BAD_FIELD_ERROR|ER_NO_SUCH_TABLE|ER_NO_DEFAULT_FOR_FIELD|GRAPHQL_VALIDATION_FAILED)\\?["'`]|no such column|no such table/;

/** Lines of the services' logs that only a version on a foreign schema writes, with their process. */
export function strangeLines(logs: string): string[] {
  return readdirSync(logs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(logs, name))
        .flatMap((file) => readFileSync(join(logs, name, file), 'utf8').split('\n'))
        .filter((line) => STRANGE.test(line))
        .map((line) => `${name}: ${line.slice(0, 500)}`),
    );
}
