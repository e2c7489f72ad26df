import { readdirSync, readFileSync } from 'node:fs';
import type { Instance } from '../../supervisor/src/instance-file.ts';

// Linux counts in hundredths of a second towards programs, on every architecture.
const TICK_MS = 10;

export const OTHER_PROGRAMS = 'all other programs';

/** Milliseconds of CPU time by process. */
export type CpuTime = Record<string, number>;

export interface CountedCpu {
  spent: CpuTime;
  /** The share of the machine's CPU time that other programs or the host's other guests used. */
  usedByOthers: number;
}

interface Usage {
  parent: number;
  own: number;
  /** Of children that have ended and been waited for. */
  ended: number;
}

interface Snapshot {
  usages: Map<number, Usage>;
  bench: number;
  machine: { busy: number; stolen: number; all: number };
}

/**
 * Starts to count the CPU time of every part of the system; the returned function stops and returns it.
 * Undefined where there is no /proc. PostgreSQL's time is split by database: `queue` is BullMQ's.
 */
export function countCpuTime(instance: Instance): (() => CountedCpu) | undefined {
  if (process.platform !== 'linux') return undefined;
  const before = snapshot();
  return () => {
    const after = snapshot();
    const spent: CpuTime = {};
    const add = (name: string, ms: number) => {
      spent[name] = (spent[name] ?? 0) + ms;
    };
    const used = (pid: number) =>
      (after.usages.get(pid)?.own ?? 0) - (before.usages.get(pid)?.own ?? 0);

    for (const [name, { pid }] of Object.entries(instance.services)) add(name, used(pid ?? 0));
    const postmaster = instance.postgres?.pid ?? 0;
    for (const database of ['book', 'payment', 'space', 'queue']) add(`postgres: ${database}`, 0);
    for (const [pid, { parent }] of after.usages) {
      if (parent === postmaster) add(`postgres: ${readDatabase(pid) ?? 'the rest'}`, used(pid));
    }
    add('postgres: the rest', used(postmaster) + endedSince(before, after, postmaster));
    add('the clients', after.bench - before.bench);
    const attributed = Object.values(spent).reduce((sum, ms) => sum + ms, 0);
    const passed = (key: keyof Snapshot['machine']) => after.machine[key] - before.machine[key];
    // Includes the kernel's threads, which also write to disk for the system.
    const others = Math.max(0, passed('busy') - attributed);
    add(OTHER_PROGRAMS, others);
    return { spent, usedByOthers: (others + passed('stolen')) / passed('all') };
  };
}

/** The CPU time of children that ended between the snapshots, from their parent's count. */
function endedSince(before: Snapshot, after: Snapshot, parent: number): number {
  const grown = (after.usages.get(parent)?.ended ?? 0) - (before.usages.get(parent)?.ended ?? 0);
  const earlier = [...before.usages]
    .filter(([pid, usage]) => usage.parent === parent && !after.usages.has(pid))
    .reduce((sum, [, usage]) => sum + usage.own, 0);
  return Math.max(0, grown - earlier);
}

/** From the title of a PostgreSQL process: "postgres: user database …". */
function readDatabase(pid: number): string | undefined {
  const title = read(`/proc/${pid}/cmdline`) ?? '';
  return /^postgres: \S+ (\S+) [\d.:a-f]+\(\d+\)/.exec(title)?.[1];
}

function snapshot(): Snapshot {
  const usages = new Map<number, Usage>();
  for (const name of readdirSync('/proc')) {
    const usage = /^\d+$/.test(name) ? readUsage(Number(name)) : undefined;
    if (usage) usages.set(Number(name), usage);
  }
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, stolen = 0] = (
    read('/proc/stat') ?? ''
  )
    .slice('cpu '.length)
    .trim()
    .split(/\s+/)
    .map((ticks) => Number(ticks) * TICK_MS);
  const busy = user + nice + system + irq + softIrq;
  const bench = process.cpuUsage();
  return {
    usages,
    bench: (bench.user + bench.system) / 1_000,
    machine: { busy, stolen, all: busy + stolen + idle + wait },
  };
}

/** The CPU time that a process has used until now, in milliseconds; 0 where there is no /proc. */
export function processCpuMs(pid: number): number {
  return readUsage(pid)?.own ?? 0;
}

/** Undefined for a process that has ended. */
function readUsage(pid: number): Usage | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command, in parentheses, may hold spaces and parentheses itself: count from its end.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = (index: number) => (fields[index] ?? 0) * TICK_MS;
  return { parent: fields[1] ?? 0, own: ticks(11) + ticks(12), ended: ticks(13) + ticks(14) };
}

/** Undefined for a process that has ended. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
