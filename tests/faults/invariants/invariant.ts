/** What a violation means: data is missing, exists twice, or exists although no client requested it. */
export type ViolationKind = 'lost' | 'duplicated' | 'unexpected';

export interface Invariant {
  name: string;
  kind: ViolationKind;
  /** Selects the violations: `subject`, the id of a booking (or event, or space), and `detail`. */
  sql: string;
}

export interface Violation {
  invariant: string;
  kind: ViolationKind;
  subject: string | null;
  detail: string;
}

/** More violations of one invariant repeat what the first ones show. */
export const MAX_VIOLATIONS_PER_INVARIANT = 20;
