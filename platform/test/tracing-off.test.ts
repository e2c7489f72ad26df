import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { projectFile } from '../config/project.ts';

/** Starts tracing in a process of its own; returns the packages of OpenTelemetry that are loaded then. */
function loadedPackages(settings: Record<string, string>): string[] {
  const program = `
    import { createRequire } from 'node:module';
    import { z } from 'zod';
    const load = (file) => import('${projectFile('dist/platform')}/' + file);
    const { createMetrics } = await load('observability/metrics.js');
    const { createLogger } = await load('observability/logger.js');
    const { startTracing } = await load('tracing/start-tracing.js');
    const { tracingShape } = await load('tracing/tracing-settings.js');
    const settings = z.object(tracingShape).parse(${JSON.stringify(settings)});
    const stop = await startTracing('test', settings, createMetrics('test'), createLogger('test', 'silent'));
    await stop();
    const files = Object.keys(createRequire(import.meta.url).cache);
    const packages = files.map((file) => /@opentelemetry\\/([\\w-]+)/.exec(file)?.[1]).filter(Boolean);
    console.log(JSON.stringify([...new Set(packages)]));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { cwd: projectFile('.'), encoding: 'utf8', env: { PATH: process.env.PATH } },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };

test.each([
  ['without a collector', {}],
  ['with OTEL_SDK_DISABLED', { ...COLLECTOR, OTEL_SDK_DISABLED: 'TRUE' }],
  ['with the exporter none', { ...COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }],
])('%s nothing of OpenTelemetry is loaded but what the metrics load', (_name, settings) => {
  expect(loadedPackages(settings)).toEqual(['api']);
});

test('with a collector OpenTelemetry is loaded', () => {
  expect(loadedPackages(COLLECTOR)).toContain('sdk-trace');
});
