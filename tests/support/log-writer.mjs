// A process that reads settings and log entries as JSON from stdin, and logs the entries.

import { secretsIn } from '#platform/auth/secrets.ts';
import { createLogger } from '#platform/observability/logger.ts';

const { settings, entries } = JSON.parse(await new Response(process.stdin).text());
const logger = createLogger('test', 'trace', secretsIn(settings));
for (const { fields, error, message } of entries) {
  const err = error && Object.assign(new Error(error.message), error);
  logger.warn({ ...fields, ...(err && { err }) }, message);
}
