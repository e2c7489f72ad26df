import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** What is agreed with `switch.ts`, in the services. */
export const FOLDER_VARIABLE = 'BENCH_TRACES_FOLDER';
export const WANTED = 'wanted.json';
export const SIGNAL = 'SIGUSR2';

export interface WantedTraces {
  /** Counts the switches: each process writes it into a file when it has switched. */
  turn: number;
  /** Of traces; without a collector they are off. */
  settings: Record<string, string>;
}

const TIMEOUT_MS = 60_000;

/** Switches the traces of running services. */
export interface SwitchedTraces {
  /** What the services have to be started with. */
  environment: Record<string, string>;
  /** Switches the traces of these processes to the settings; resolves when all have. */
  switchTo(pids: readonly number[], settings: Record<string, string>): Promise<void>;
  remove(): void;
}

export function switchedTraces(): SwitchedTraces {
  const folder = mkdtempSync(join(tmpdir(), 'spacerent-traces-'));
  let turn = 0;

  function hasSwitched(pid: number): boolean {
    try {
      return readFileSync(join(folder, String(pid)), 'utf8') === String(turn);
    } catch {
      return false;
    }
  }

  return {
    environment: {
      NODE_OPTIONS: `--import ${new URL('switch.js', import.meta.url)}`,
      [FOLDER_VARIABLE]: folder,
    },
    async switchTo(pids, settings) {
      turn += 1;
      const wanted: WantedTraces = { turn, settings };
      writeFileSync(join(folder, WANTED), JSON.stringify(wanted));
      for (const pid of pids) process.kill(pid, SIGNAL);
      const deadline = performance.now() + TIMEOUT_MS;
      while (!pids.every(hasSwitched)) {
        if (performance.now() > deadline)
          throw new Error('The services do not switch their traces.');
        await wait(5);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
