/** The kinds of faults, in the order in which they are performed. */
export const GROUPS = ['kill', 'hang', 'memory', 'disk', 'database', 'failover', 'redis'] as const;
export type Group = (typeof GROUPS)[number];

/** Something that is done to a running system, and how it is known that the system has repaired it. */
export interface Fault {
  group: Group;
  /** What happens, and to what. */
  what: string;
  target: string;
  /** What brings back what failed. */
  repairedBy: string;
  /** Resolves when the fault has happened. What is done until then is part of the fault. */
  inject(): Promise<void>;
  /** Resolves when what failed is there again; rejects with a sentence when it does not come back. */
  untilRepaired(signal: AbortSignal): Promise<void>;
  /** Resolves when clients do not reach what failed any more: the next fault may happen before this one is repaired. */
  untilContained?(signal: AbortSignal): Promise<void>;
  /** What is lost is the result, and no failure; nothing else can happen to the system afterwards. */
  losesData?: boolean;
  /** Checks what the clients cannot see, and returns sentences about it for people; throws where it is wrong. */
  inspect?(): Promise<string[]>;
}

export const REPAIR_TIMEOUT_MS = 240_000;
