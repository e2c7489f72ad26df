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

export interface SpaceRecord {
  spaceId: string;
  name: string;
}

/** The requests and responses of all clients of a run, in the order of the responses. */
export class Records {
  readonly requests: RequestRecord[] = [];
  readonly cancels: CancelRecord[] = [];
  readonly spaces: SpaceRecord[] = [];
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

/** The numbers of requests for bookings and cancellations by their outcome. */
export function countOutcomes(records: Records): Record<Outcome['kind'], number> {
  const counts = { ok: 0, refused: 0, unknown: 0 };
  for (const { outcome } of [...records.requests, ...records.cancels]) counts[outcome.kind] += 1;
  return counts;
}
