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

/** What a customer changes of a booking under one idempotency key; null: stays as it is booked. */
export interface ChangeInput {
  slot: { startAt: string; endAt: string } | null;
  headcount: number | null;
  expectedDifference: number;
}

export interface RescheduleRecord {
  customer: string;
  bookingId: string;
  key: string;
  input: ChangeInput;
  outcome: /** A success: the change, and what was booked when the response was made. */
    | {
        kind: 'ok';
        changeId: string;
        state: string;
        startAt: string;
        endAt: string;
        headcount: number;
        price: number;
      }
    | { kind: 'refused'; type: string }
    | { kind: 'unknown'; reason: string };
  /** Ordinal numbers among all requests and responses; null: there is no response. */
  sent: number;
  responded: number | null;
}

/** What an operator gives back of a booking's charges. */
export interface GoodwillRecord {
  bookingId: string;
  key: string;
  amount: number;
  outcome: { kind: 'ok' } | { kind: 'refused'; type: string } | { kind: 'unknown'; reason: string };
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
  readonly reschedules: RescheduleRecord[] = [];
  readonly goodwill: GoodwillRecord[] = [];
  readonly decisions: DecisionRecord[] = [];
  readonly blocks: BlockRecord[] = [];
  readonly spaces: SpaceRecord[] = [];
  /** Bookings that were answered with `AWAITING_APPROVAL`, for the hosts. */
  readonly awaitingApproval: string[] = [];
  /** Bookings that were answered with `PAID` or `REGISTERED`, for the operators. */
  readonly paid: string[] = [];
  /** Views that a client saw at an older version after a newer one, described for people. */
  readonly versionRegressions: string[] = [];
  /** Bookings that mypage showed as `PAID` or `REGISTERED`: a customer relies on it as on a response. */
  readonly shownStatuses = new Map<string, string>();
  /** Of each booking the versions that were newer than all shown before, with the ordinals of their responses. */
  readonly #newestVersions = new Map<string, { version: number; responded: number }[]>();
  #ordinal = 0;

  /** The next number of the order in which clients send requests and receive responses. */
  nextOrdinal(): number {
    this.#ordinal += 1;
    return this.#ordinal;
  }

  /**
   * Begins a request for views, and returns a function that records each view of the response. A view must be as new as
   * those that were shown before the request was sent: of two overlapping requests, the later response may show the
   * older version.
   */
  startReading(): (bookingId: string, version: number, status: string) => void {
    const sent = this.nextOrdinal();
    return (bookingId, version, status) => {
      if (status === 'PAID' || status === 'REGISTERED') this.shownStatuses.set(bookingId, status);
      const newest = this.#newestVersions.get(bookingId) ?? [];
      const known = newest.findLast(({ responded }) => responded < sent);
      if (known && version < known.version) {
        this.versionRegressions.push(
          `mypage showed ${bookingId} at version ${known.version}, then at ${version}`,
        );
      }
      if (version <= (newest.at(-1)?.version ?? 0)) return;
      this.#newestVersions.set(bookingId, [...newest, { version, responded: this.nextOrdinal() }]);
    };
  }
}

/** The numbers of all requests for changes by their outcome. */
export function countOutcomes(records: Records): Record<Outcome['kind'], number> {
  const counts = { ok: 0, refused: 0, unknown: 0 };
  const { requests, cancels, reschedules, goodwill, decisions, blocks } = records;
  const all = [requests, cancels, reschedules, goodwill, decisions, blocks].flat();
  for (const { outcome } of all) counts[outcome.kind] += 1;
  return counts;
}

/** How often which response came to changes and goodwill refunds, for people. */
export function describeChanges({ reschedules, goodwill }: Records): string {
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const { outcome } of reschedules) {
    if (outcome.kind === 'ok') count(`change ${outcome.state}`);
    else count(`change ${outcome.kind === 'refused' ? outcome.type : 'unknown'}`);
  }
  for (const { outcome } of goodwill) {
    count(`goodwill ${outcome.kind === 'refused' ? outcome.type : outcome.kind}`);
  }
  return [...counts].map(([what, times]) => `${what} ×${times}`).join(', ');
}
