import { readdirSync, readFileSync } from 'node:fs';
import type { Instance } from '../../supervisor/src/instance-file.ts';

// Linux counts in hundredths of a second towards programs, on every architecture.
const TICK_MS = 10;

export const OTHER_PROGRAMS = 'all other programs';

/** Milliseconds of CPU time by who used them. */
export type CpuTime = Record<string, number>;

export interface CountedCpu {
  spent: CpuTime;
  /** The part of the machine that was not to be had: used by others, or by the host's other guests. */
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
 * Starts to count the CPU time of every part of the system; the answer ends it and tells. Undefined
 * where there is no /proc. PostgreSQL's part is told by database: `queue` is what BullMQ costs.
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
      if (parent === postmaster) add(`postgres: ${databaseOf(pid) ?? 'the rest'}`, used(pid));
    }
    add('postgres: the rest', used(postmaster) + endedSince(before, after, postmaster));
    add('the clients', after.bench - before.bench);
    const known = Object.values(spent).reduce((sum, ms) => sum + ms, 0);
    const passed = (key: keyof Snapshot['machine']) => after.machine[key] - before.machine[key];
    // The kernel's own threads are among them: what it writes to disk, it writes for the system.
    const others = Math.max(0, passed('busy') - known);
    add(OTHER_PROGRAMS, others);
    return { spent, usedByOthers: (others + passed('stolen')) / passed('all') };
  };
}

/** What children that ended meanwhile had used since, by their parent's account of them. */
function endedSince(before: Snapshot, after: Snapshot, parent: number): number {
  const grown = (after.usages.get(parent)?.ended ?? 0) - (before.usages.get(parent)?.ended ?? 0);
  const earlier = [...before.usages]
    .filter(([pid, usage]) => usage.parent === parent && !after.usages.has(pid))
    .reduce((sum, [, usage]) => sum + usage.own, 0);
  return Math.max(0, grown - earlier);
}

/** PostgreSQL's processes write into their titles whom they serve: "postgres: user database …". */
function databaseOf(pid: number): string | undefined {
  const title = read(`/proc/${pid}/cmdline`) ?? '';
  return /^postgres: \S+ (\S+) [\d.:a-f]+\(\d+\)/.exec(title)?.[1];
}

function snapshot(): Snapshot {
  const usages = new Map<number, Usage>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : undefined;
    if (stat === undefined) continue;
    // The command, in parentheses, may hold spaces and parentheses itself: count from its end.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ticks = (index: number) => (fields[index] ?? 0) * TICK_MS;
    usages.set(Number(name), {
      parent: fields[1] ?? 0,
      own: ticks(11) + ticks(12),
      ended: ticks(13) + ticks(14),
    });
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

/** Undefined for a process that has ended meanwhile. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
