import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 200;
/** Above it, a span of time says more of the host's other guests than of what is measured. */
const QUIET_SHARE = 0.05;

/** What the host's other guests took of this machine's CPU time, span by span. */
export interface StolenTime {
  /** The part of all CPU time that was taken; undefined where the kernel doesn't tell. */
  share: number | undefined;
  /** Was hardly anything taken all the way from one time of performance.now() to another? */
  wasQuiet(from: number, to: number): boolean;
}

/** Starts to watch; the answer ends it and tells. Linux tells it in /proc/stat, as "steal". */
export function watchStolenTime(): () => StolenTime {
  const looks = [look()];
  const timer = setInterval(() => looks.push(look()), LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    looks.push(look());
    const spans = looks.slice(1).map((to, index) => ({ from: looks[index] as Look, to }));
    const share = shareOf(looks[0] as Look, looks.at(-1) as Look);
    return {
      share: Number.isNaN(share) ? undefined : share,
      wasQuiet: (from, to) =>
        spans
          .filter((span) => span.to.at >= from && span.from.at <= to)
          .every((span) => !(shareOf(span.from, span.to) > QUIET_SHARE)),
    };
  };
}

interface Look {
  at: number;
  stolen: number;
  all: number;
}

function look(): Look {
  const at = performance.now();
  if (process.platform !== 'linux') return { at, stolen: 0, all: 0 };
  // "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guests are in user.
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { at, stolen: times[7] ?? 0, all: times.reduce((sum, time) => sum + time, 0) };
}

function shareOf(from: Look, to: Look): number {
  return (to.stolen - from.stolen) / (to.all - from.all);
}
