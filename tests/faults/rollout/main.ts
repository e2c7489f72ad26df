import { projectFile } from '#platform/config/project.ts';
import { startReplicatedSystem } from '../replicas/replicated-system.ts';
import { runMeasurement } from '../replicas/run-measurement.ts';
import { buildBaseline } from '../upgrade/baseline.ts';
import { ROUNDS, readOptions } from './options.ts';
import { findFailures, toReport, toRows } from './report.ts';
import { runRollout } from './run.ts';

const REPLICAS = 2;

await runMeasurement('rollout', readOptions, async (options, folder, log, signal) => {
  const rounds = ROUNDS.filter((round) => !options.only || round === options.only);
  const baseline = rounds.includes('upgrade') ? buildBaseline(log) : undefined;
  const upgraded = new Set<string>();
  log(`starting ${REPLICAS} replicas of each service`);
  const system = await startReplicatedSystem(folder, {
    maxReplicas: REPLICAS,
    running: REPLICAS,
    drainSeconds: options.drainSeconds,
    rootFor: (replica) => (baseline && !upgraded.has(replica) ? baseline.root : projectFile('.')),
  });
  const result = await runRollout(system, options, {
    rounds,
    upgrade: (replica) => void upgraded.add(replica),
    hasOlderViews: baseline !== undefined,
    log,
    signal,
  });
  const { warmUp, outcomes, deferred, subscribers, counters } = result;
  return {
    report: toReport(result),
    failures: findFailures(result),
    results: {
      warmUp,
      requests: result.requests.requests.length,
      services: toRows(result),
      outcomes,
      deferred,
      subscribers,
      counters,
    },
  };
});
