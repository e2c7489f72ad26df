import type { Random } from '../random.ts';
import type { ChaosSystem, Profile } from '../system/chaos-system.ts';

/** A fault as it was drawn: when, on whom, for how long. */
export interface Injection {
  /** For people: `kill book-2`. */
  what: string;
  /** How long it takes, about: the load lasts at least as long. */
  ms: number;
  /** Injects and heals again. Answers whether it hit anything. */
  run: (system: ChaosSystem) => Promise<boolean>;
}

export interface Fault {
  name: string;
  /** How often it is drawn, compared with others. */
  weight: number;
  /** Left out: both. */
  profile?: Profile;
  /** Draws all that is random about it. */
  draw: (random: Random, system: ChaosSystem) => Injection;
}
