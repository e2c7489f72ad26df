import { type Latencies, toLatencies } from '../measurement/latencies.ts';

/** Work on CPUs: whatever is running shares the machine's cores evenly. */
export interface MachineModel {
  name: string;
  /** May be a fraction: what others leave of a core. */
  cores: number;
}

/** What executes steps: processes of one thread each, or a database that executes any number at once. */
export interface Station {
  name: string;
  machine: MachineModel;
  processes: number;
}

/** One step of a booking: CPU time at a station, or a wait without one, in milliseconds. */
export type Step = { station: Station; cpuMs: number } | { waitMs: number };

export interface Route {
  /** Until the client has its response. */
  request: readonly Step[];
  /** From then on until mypage shows the booking as registered. */
  afterwards: readonly Step[];
}

/** A closed loop: each client sends its next request after a response, unless too many bookings are on their way. */
export interface ClosedLoad {
  clients: number;
  maxUnconfirmedPerClient: number;
}

/** An open loop: requests arrive at random, whatever the system does. */
export interface OpenLoad {
  requestsPerSecond: number;
}

export interface SimulatedResults {
  /** Confirmed bookings per second of simulated time, after the warm-up. */
  perSecond: number;
  request: Latencies;
  visible: Latencies;
  /** The busy share of each machine's cores, by its name. */
  utilization: Record<string, number>;
}

/** Returns a number in [0, 1). */
export type RandomNumber = () => number;

interface Job {
  client: Client | undefined;
  startedAt: number;
  steps: readonly Step[];
  /** The index of the present step. */
  step: number;
  remainingMs: number;
}

interface Client {
  unconfirmed: number;
  isWaiting: boolean;
}

/**
 * Simulates bookings event by event for `seconds` after a warm-up. Step times vary exponentially around
 * their mean: the variation of real ones is not known, and this is the usual cautious assumption.
 */
export function simulate(
  route: Route,
  load: ClosedLoad | OpenLoad,
  {
    seconds,
    warmUpSeconds,
    random,
  }: { seconds: number; warmUpSeconds: number; random: RandomNumber },
): SimulatedResults {
  const simulation = new Simulation(route, load, random);
  simulation.run(warmUpSeconds * 1_000);
  simulation.startMeasuring();
  simulation.run(seconds * 1_000);
  return simulation.results(seconds);
}

class Simulation {
  readonly #route: Route;
  readonly #load: ClosedLoad | OpenLoad;
  readonly #random: RandomNumber;
  /** What is executed now, by the machine that executes it. */
  readonly #running = new Map<MachineModel, Set<Job>>();
  readonly #queues = new Map<Station, { busy: number; waiting: Job[] }>();
  readonly #waits: { at: number; wake: () => void }[] = [];
  readonly #busyMs = new Map<MachineModel, number>();
  #requestMs: number[] = [];
  #visibleMs: number[] = [];
  #now = 0;

  constructor(route: Route, load: ClosedLoad | OpenLoad, random: RandomNumber) {
    this.#route = route;
    this.#load = load;
    this.#random = random;
    if ('clients' in load) {
      for (let n = 0; n < load.clients; n += 1) this.#start({ unconfirmed: 0, isWaiting: false });
    } else this.#awaitRequest(1_000 / load.requestsPerSecond);
  }

  /** Lets `ms` of simulated time pass. */
  run(ms: number): void {
    const end = this.#now + ms;
    while (this.#now < end) {
      const wait = earliest(this.#waits);
      const { job, afterMs } = this.#nextCompletion();
      const untilWait = (wait?.at ?? Number.POSITIVE_INFINITY) - this.#now;
      const stepMs = Math.min(afterMs, untilWait, end - this.#now);
      this.#pass(stepMs);
      if (job && stepMs === afterMs) this.#leave(job);
      else if (wait && stepMs === untilWait) {
        this.#waits.splice(this.#waits.indexOf(wait), 1);
        wait.wake();
      }
    }
  }

  startMeasuring(): void {
    this.#requestMs = [];
    this.#visibleMs = [];
    this.#busyMs.clear();
  }

  results(seconds: number): SimulatedResults {
    const shares = [...this.#busyMs].map(
      ([{ name, cores }, ms]) => [name, ms / (cores * seconds * 1_000)] as const,
    );
    return {
      perSecond: this.#visibleMs.length / seconds,
      request: toLatencies(this.#requestMs),
      visible: toLatencies(this.#visibleMs),
      utilization: Object.fromEntries(shares),
    };
  }

  #start(client: Client | undefined): void {
    if (client) client.unconfirmed += 1;
    const { request } = this.#route;
    this.#enter({ client, startedAt: this.#now, steps: request, step: 0, remainingMs: 0 });
  }

  #enter(job: Job): void {
    const step = job.steps[job.step];
    if (!step) {
      this.#finish(job);
      return;
    }
    if ('waitMs' in step) {
      this.#wait(step.waitMs, () => this.#advance(job));
      return;
    }
    job.remainingMs = this.#exponential(step.cpuMs);
    const queue = this.#queues.get(step.station) ?? { busy: 0, waiting: [] };
    this.#queues.set(step.station, queue);
    if (queue.busy >= step.station.processes) queue.waiting.push(job);
    else {
      queue.busy += 1;
      this.#execute(job, step.station);
    }
  }

  #execute(job: Job, { machine }: Station): void {
    const jobs = this.#running.get(machine) ?? new Set();
    this.#running.set(machine, jobs.add(job));
  }

  #leave(job: Job): void {
    const { station } = job.steps[job.step] as { station: Station };
    this.#running.get(station.machine)?.delete(job);
    const queue = this.#queues.get(station);
    const next = queue?.waiting.shift();
    if (next) this.#execute(next, station);
    else if (queue) queue.busy -= 1;
    this.#advance(job);
  }

  #advance(job: Job): void {
    job.step += 1;
    this.#enter(job);
  }

  #finish(job: Job): void {
    const { client } = job;
    const durationMs = this.#now - job.startedAt;
    if (job.steps === this.#route.request) {
      this.#requestMs.push(durationMs);
      this.#enter({ ...job, steps: this.#route.afterwards, step: 0 });
      if (client) this.#continue(client);
      return;
    }
    this.#visibleMs.push(durationMs);
    if (!client) return;
    client.unconfirmed -= 1;
    if (client.isWaiting) this.#continue(client);
  }

  #continue(client: Client): void {
    client.isWaiting =
      'clients' in this.#load && client.unconfirmed >= this.#load.maxUnconfirmedPerClient;
    if (!client.isWaiting) this.#start(client);
  }

  #awaitRequest(meanMs: number): void {
    this.#wait(meanMs, () => {
      this.#start(undefined);
      this.#awaitRequest(meanMs);
    });
  }

  #wait(meanMs: number, wake: () => void): void {
    this.#waits.push({ at: this.#now + this.#exponential(meanMs), wake });
  }

  #pass(ms: number): void {
    for (const [machine, jobs] of this.#running) {
      const worked = ms * speedOf(machine, jobs);
      for (const job of jobs) job.remainingMs -= worked;
      this.#busyMs.set(machine, (this.#busyMs.get(machine) ?? 0) + worked * jobs.size);
    }
    this.#now += ms;
  }

  #nextCompletion(): { job: Job | undefined; afterMs: number } {
    let next: { job: Job | undefined; afterMs: number } = {
      job: undefined,
      afterMs: Number.POSITIVE_INFINITY,
    };
    for (const [machine, jobs] of this.#running) {
      const speed = speedOf(machine, jobs);
      for (const job of jobs) {
        const afterMs = Math.max(0, job.remainingMs) / speed;
        if (afterMs < next.afterMs) next = { job, afterMs };
      }
    }
    return next;
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#random()) * mean;
  }
}

/** Each job has at most one core. */
function speedOf({ cores }: MachineModel, jobs: ReadonlySet<Job>): number {
  return Math.min(1, cores / jobs.size);
}

function earliest<Item extends { at: number }>(items: readonly Item[]): Item | undefined {
  let first = items[0];
  for (const item of items) if (first && item.at < first.at) first = item;
  return first;
}
