import { expect, test } from '@jest/globals';
import { type MachineModel, type Route, type Station, simulate } from './simulation.ts';

const MODULUS = 2 ** 31 - 1;

function run(route: Route, load: Parameters<typeof simulate>[1]) {
  // Park and Miller's minimal standard generator.
  let state = 1;
  const random = () => {
    state = (state * 48_271) % MODULUS;
    return state / MODULUS;
  };
  return simulate(route, load, { seconds: 300, warmUpSeconds: 10, random });
}

/** Within a tenth: the simulated times are random, though the same each time. */
function expectAbout(value: number, expected: number): void {
  expect(value).toBeGreaterThan(expected * 0.9);
  expect(value).toBeLessThan(expected * 1.1);
}

test('a simulated process that is half busy responds as queueing theory says (M/M/1)', () => {
  const machine: MachineModel = { name: 'machine', cores: 1 };
  const station: Station = { name: 'process', machine, processes: 1 };
  const route = { request: [{ station, cpuMs: 10 }], afterwards: [] };
  const { perSecond, request, utilization } = run(route, { requestsPerSecond: 50 });
  expectAbout(perSecond, 50);
  expectAbout(utilization.machine as number, 0.5);
  // The response time is exponential with mean 1 / (100/s - 50/s) = 20 ms.
  expectAbout(request.p50, 20 * Math.LN2);
  expectAbout(request.p95, 20 * Math.log(20));
});

test('a simulated machine that clients saturate is limited by its cores', () => {
  const machine: MachineModel = { name: 'machine', cores: 1.5 };
  const database: Station = { name: 'database', machine, processes: Number.POSITIVE_INFINITY };
  const service: Station = { name: 'service', machine, processes: 1 };
  const route: Route = {
    request: [{ station: service, cpuMs: 2 }],
    afterwards: [{ station: database, cpuMs: 4 }],
  };
  const { perSecond, utilization } = run(route, { clients: 10, maxUnconfirmedPerClient: 4 });
  expectAbout(perSecond, 1_500 / 6);
  expectAbout(utilization.machine as number, 1);
});

test('a simulated process of one thread uses one core of several', () => {
  const machine: MachineModel = { name: 'machine', cores: 4 };
  const station: Station = { name: 'process', machine, processes: 1 };
  const route = { request: [{ station, cpuMs: 5 }], afterwards: [] };
  const { perSecond, utilization } = run(route, { clients: 10, maxUnconfirmedPerClient: 1 });
  expectAbout(perSecond, 200);
  expectAbout(utilization.machine as number, 0.25);
});

test('a simulated client waits while too many of its bookings are not confirmed', () => {
  const machine: MachineModel = { name: 'machine', cores: 4 };
  const station: Station = { name: 'process', machine, processes: 1 };
  const route: Route = { request: [{ station, cpuMs: 0.1 }], afterwards: [{ waitMs: 100 }] };
  const { perSecond, visible } = run(route, { clients: 1, maxUnconfirmedPerClient: 4 });
  expectAbout(perSecond, 40);
  expectAbout(visible.p50, 100 * Math.LN2);
});
