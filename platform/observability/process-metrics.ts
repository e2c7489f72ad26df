import { getHeapStatistics } from 'node:v8';
import { Gauge, type Registry } from 'prom-client';
import { projectVersion } from '../config/project.ts';

/** Larger than any machine's memory: the kernel's way to say that a control group has no limit. */
const NO_LIMIT_BYTES = 2 ** 50;

/** What prom-client's metrics of the process lack: its version, and the limits of its memory. */
export function processMetrics(metrics: Registry): void {
  const registers = [metrics];
  new Gauge({
    name: 'spacerent_build_info',
    help: 'Always 1; the labels name the version of spacerent and of Node. Per process.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: projectVersion(), node: process.versions.node }, 1);
  new Gauge({
    name: 'spacerent_heap_limit_bytes',
    help: 'Size of the JavaScript heap at which the process ends itself. Per process.',
    registers,
  }).set(getHeapStatistics().heap_size_limit);
  const limit = process.constrainedMemory();
  const memory = new Gauge({
    name: 'spacerent_memory_limit_bytes',
    help: 'Memory of its container at which the kernel ends the process; no sample without a limit. Per process.',
    registers,
  });
  memory.remove();
  if (limit > 0 && limit < NO_LIMIT_BYTES) memory.set(limit);
}
