import type { Random } from '../random.ts';
import type { ChaosSystem, Profile } from '../system/chaos-system.ts';

/** A fault with everything random decided. */
export interface Injection {
  /** For people, with target and duration: `kill -9 book-2`. */
  description: string;
  /** About how long `run` takes: the load lasts at least as long. */
  durationMs: number;
  /** Injects the fault and heals it. Resolves with false when there was nothing to affect. */
  run: (system: ChaosSystem) => Promise<boolean>;
}

export interface Fault {
  name: string;
  /** How often the fault is drawn, relative to others. */
  weight: number;
  /** The only profile that has the fault; without it, both have it. */
  profile?: Profile;
  draw: (random: Random, system: ChaosSystem) => Injection;
}
