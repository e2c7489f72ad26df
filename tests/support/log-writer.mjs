// A process that reads settings and log entries as JSON from stdin, and logs the entries. `isSlow`: it goes on for a
// moment afterwards, and says so on stderr.

import { secretsIn } from '#platform/auth/secrets.ts';
import { createLogger } from '#platform/observability/logger.ts';

const { settings, entries, isSlow } = JSON.parse(await new Response(process.stdin).text());
const logger = createLogger('test', 'trace', secretsIn(settings));
for (const { fields, error, message } of entries) {
  const err = error && Object.assign(new Error(error.message), error);
  logger.warn({ ...fields, ...(err && { err }) }, message);
}
if (isSlow) {
  // Until the lines were written, or could not be.
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.error('goes on');
}
