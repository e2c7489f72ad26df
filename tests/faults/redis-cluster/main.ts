import { countOutcomes } from '../load/records.ts';
import { startReplicatedSystem } from '../replicas/replicated-system.ts';
import { runMeasurement } from '../replicas/run-measurement.ts';
import { startRedisCluster } from './cluster.ts';
import { readOptions } from './options.ts';
import { MUTATIONS_PER_MINUTE } from './rate-limit.ts';
import { toReport, toRows } from './report.ts';
import { findFailures, runRedisCluster } from './run.ts';

const REPLICAS = 2;

await runMeasurement('redis-cluster', readOptions, async (options, folder, log, signal) => {
  log(`starting a Redis Cluster of six nodes and ${REPLICAS} replicas of each service`);
  const cluster = await startRedisCluster();
  folder.onStop(cluster.stop);
  const system = await startReplicatedSystem(folder, {
    maxReplicas: REPLICAS,
    running: REPLICAS,
    drainSeconds: 3,
    redisUrl: cluster.url,
    variables: { MUTATIONS_PER_MINUTE_PER_USER: String(MUTATIONS_PER_MINUTE) },
  });
  const result = await runRedisCluster(system, cluster, options, { log, signal });
  const { load, warmUp, subscribers, admittedBefore, admittedAfter } = result;
  return {
    report: toReport(result),
    failures: findFailures(result),
    results: {
      warmUp,
      requests: load.requests.requests.length,
      outcomes: countOutcomes(load.records),
      blows: toRows(result),
      subscribers,
      admittedBefore,
      admittedAfter,
    },
  };
});
