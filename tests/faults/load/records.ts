/** What a customer requests under one idempotency key. */
export interface BookingInput {
  spaceId: string;
  startAt: string;
  endAt: string;
  headcount: number;
  paymentMethod: string;
}

export type Outcome =
  /** A success, with the status and the price of the response. */
  | { kind: 'ok'; bookingId: string; status: string; price: number }
  /** A rule said no; a declined payment names its booking. */
  | { kind: 'refused'; type: string; bookingId: string | null }
  /** No response, or one with an error of the system: the change may be committed or not. */
  | { kind: 'unknown'; reason: string };

export interface RequestRecord {
  customer: string;
  key: string;
  input: BookingInput;
  outcome: Outcome;
}

export interface CancelRecord {
  customer: string;
  bookingId: string;
  outcome:
    | { kind: 'ok'; status: string; refund: number }
    | { kind: 'refused'; type: string; status: string | null }
    | { kind: 'unknown'; reason: string };
}

/** A host's decision on a booking that awaits it. */
export interface DecisionRecord {
  bookingId: string;
  decision: 'approve' | 'reject';
  outcome:
    | { kind: 'ok'; status: string }
    | { kind: 'refused'; type: string }
    | { kind: 'unknown'; reason: string };
}

/** A time that a host closes, and whether the host opened it again. */
export interface BlockRecord {
  key: string;
  spaceId: string;
  startAt: string;
  endAt: string;
  outcome:
    | { kind: 'ok'; blockId: string }
    | { kind: 'refused'; type: string }
    | { kind: 'unknown'; reason: string };
  removal: 'none' | 'ok' | 'unknown';
}

export interface SpaceRecord {
  spaceId: string;
  name: string;
}

/** The requests and responses of all clients of a run, in the order of the responses. */
export class Records {
  readonly requests: RequestRecord[] = [];
  readonly cancels: CancelRecord[] = [];
  readonly decisions: DecisionRecord[] = [];
  readonly blocks: BlockRecord[] = [];
  readonly spaces: SpaceRecord[] = [];
  /** Bookings that were answered with `AWAITING_APPROVAL`, for the hosts. */
  readonly awaitingApproval: string[] = [];
  /** Views that a client saw at an older version after a newer one, described for people. */
  readonly versionRegressions: string[] = [];
  /** Bookings that mypage showed as `PAID` or `REGISTERED`: a customer relies on it as on a response. */
  readonly shownStatuses = new Map<string, string>();
  readonly #shownVersions = new Map<string, number>();

  addView(bookingId: string, version: number, status: string): void {
    if (status === 'PAID' || status === 'REGISTERED') this.shownStatuses.set(bookingId, status);
    const newest = this.#shownVersions.get(bookingId) ?? 0;
    if (version < newest) {
      this.versionRegressions.push(
        `mypage showed ${bookingId} at version ${newest}, then at ${version}`,
      );
    }
    this.#shownVersions.set(bookingId, Math.max(newest, version));
  }
}

/** The numbers of all requests for changes by their outcome. */
export function countOutcomes(records: Records): Record<Outcome['kind'], number> {
  const counts = { ok: 0, refused: 0, unknown: 0 };
  const { requests, cancels, decisions, blocks } = records;
  for (const { outcome } of [...requests, ...cancels, ...decisions, ...blocks]) {
    counts[outcome.kind] += 1;
  }
  return counts;
}
