import { readFileSync } from 'node:fs';

const SAMPLE_PERIOD_MS = 200;
/** Above this share of stolen time, a measured span depends too much on the host's other guests. */
const MAX_UNDISTURBED_SHARE = 0.05;

/** The CPU time of this machine that the host's other guests used. */
export interface StolenTime {
  /** The stolen share of all CPU time; undefined where the kernel does not report it. */
  share: number | undefined;
  /** Whether hardly anything was stolen between two times of performance.now(). */
  wasUndisturbed(from: number, to: number): boolean;
}

/** Starts to sample; the returned function stops and returns the result. Linux reports "steal" in /proc/stat. */
export function watchStolenTime(): () => StolenTime {
  const samples = [readSample()];
  const timer = setInterval(() => samples.push(readSample()), SAMPLE_PERIOD_MS);
  return () => {
    clearInterval(timer);
    samples.push(readSample());
    const spans = samples.slice(1).map((to, index) => ({ from: samples[index] as Sample, to }));
    const share = stolenShare(samples[0] as Sample, samples.at(-1) as Sample);
    return {
      share: Number.isNaN(share) ? undefined : share,
      wasUndisturbed: (from, to) =>
        spans
          .filter((span) => span.to.at >= from && span.from.at <= to)
          .every((span) => !(stolenShare(span.from, span.to) > MAX_UNDISTURBED_SHARE)),
    };
  };
}

interface Sample {
  at: number;
  stolen: number;
  all: number;
}

function readSample(): Sample {
  const at = performance.now();
  if (process.platform !== 'linux') return { at, stolen: 0, all: 0 };
  // "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guests are in user.
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { at, stolen: times[7] ?? 0, all: times.reduce((sum, time) => sum + time, 0) };
}

function stolenShare(from: Sample, to: Sample): number {
  return (to.stolen - from.stolen) / (to.all - from.all);
}
