/** What a customer asked for under one idempotency key. */
export interface Body {
  spaceId: string;
  startAt: string;
  endAt: string;
  headcount: number;
  paymentMethod: string;
}

export type Outcome =
  /** A success; `status` and `price` are what was promised. */
  | { kind: 'ok'; bookingId: string; status: string; price: number }
  /** A rule said no; a decline names its booking. */
  | { kind: 'refused'; type: string; bookingId: string | null }
  /** No answer, or one that says that something is wrong: it may have taken place or not. */
  | { kind: 'unknown'; reason: string };

export interface RequestRecord {
  customer: string;
  key: string;
  body: Body;
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

export interface ListingRecord {
  spaceId: string;
  name: string;
}

/** What clients asked and what they were told, in the order of the answers. */
export class Records {
  readonly requests: RequestRecord[] = [];
  readonly cancels: CancelRecord[] = [];
  readonly listings: ListingRecord[] = [];
  /** What no client should ever see, such as a view that falls back to an older version. */
  readonly surprises: string[] = [];
  /** Bookings that mypage showed as `PAID` or `REGISTERED`: as good as the answer to a request. */
  readonly seen = new Map<string, string>();
  readonly #seenVersions = new Map<string, number>();

  seeView(bookingId: string, version: number, status: string): void {
    if (status === 'PAID' || status === 'REGISTERED') this.seen.set(bookingId, status);
    const before = this.#seenVersions.get(bookingId) ?? 0;
    if (version < before) {
      this.surprises.push(`mypage showed ${bookingId} at version ${before}, then at ${version}`);
    }
    this.#seenVersions.set(bookingId, Math.max(before, version));
  }
}
