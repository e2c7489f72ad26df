import { runMeasurement } from '../replicas/run-measurement.ts';
import { readOptions } from './options.ts';
import { findFailures, toReport } from './report.ts';
import { runHealing } from './run.ts';

await runMeasurement('healing', readOptions, async (options, folder, log, signal) => {
  const faults = await runHealing(options, folder, { log, signal });
  return { report: toReport(faults), failures: findFailures(faults), results: { faults } };
});
