import { startReplicatedSystem } from '../replicas/replicated-system.ts';
import { runMeasurement } from '../replicas/run-measurement.ts';
import { readOptions } from './options.ts';
import { toReport } from './report.ts';
import { MAX_REPLICAS, runScale } from './run.ts';

await runMeasurement('scale', readOptions, async (options, folder, log, signal) => {
  log('starting one replica of each service');
  const system = await startReplicatedSystem(folder, {
    maxReplicas: MAX_REPLICAS,
    running: 1,
    drainSeconds: options.drainSeconds,
  });
  const result = await runScale(system, options, log, signal);
  const { failures, ...results } = result;
  return { report: toReport(result), failures, results };
});
