import { runMeasurement } from '../replicas/run-measurement.ts';
import { readOptions } from './options.ts';
import { findFailures, toReport } from './report.ts';
import { runHealing } from './run.ts';

await runMeasurement('healing', readOptions, async (options, folder, log, signal) => {
  const { faults, leftOut } = await runHealing(options, folder, { log, signal });
  const report = [toReport(faults), ...leftOut].join('\n');
  return { report, failures: findFailures(faults), results: { faults, leftOut } };
});
