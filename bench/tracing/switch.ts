import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { startTracing } from '#platform/tracing/start-tracing.ts';
import { tracingShape } from '#platform/tracing/tracing-settings.ts';
import { FOLDER_VARIABLE, SIGNAL, WANTED, type WantedTraces } from './switched-traces.ts';

/**
 * Loaded into each service of the measured system, before its own program: switches its traces on and off. So the same
 * processes are compared, and not two, of which one may be slower for reasons of its own.
 */
const folder = process.env[FOLDER_VARIABLE];
const isService = /\/dist\/(router|subgraphs\/\w+)\/src\/main\.js$/.test(process.argv[1] ?? '');
if (folder !== undefined && isService) {
  const logger = pino({ level: 'silent' });
  let stop = async () => {};
  process.on(SIGNAL, async () => {
    const wanted: WantedTraces = JSON.parse(readFileSync(join(folder, WANTED), 'utf8'));
    await stop();
    const settings = z.object(tracingShape).parse(wanted.settings);
    stop = await startTracing('bench', settings, new Registry(), logger);
    writeFileSync(join(folder, String(process.pid)), String(wanted.turn));
  });
}
