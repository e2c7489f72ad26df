import type { Kind } from './invariants.ts';

/** One thing that is not as it must be. */
export interface Violation {
  invariant: string;
  kind: Kind;
  culprit: string | null;
  detail: string;
}
