/** What all databases must agree on, so that their rows are the same bookings. */
export interface StoredBookings {
  count: number;
  spaceIds: readonly string[];
  /** Bookings lie two hours apart in each space, half of them before this hour, half after. */
  middle: Date;
  /** When the last of them was requested; each other one half a minute before the next. */
  now: Date;
}

/** The clients that measure are the first of them. */
export const STORED_CUSTOMERS = 5_000;

/** The part of a stored id that is specific to its kind. */
export const idKinds = {
  booking: 1,
  payment: 2,
  registration: 3,
  booked: 4,
  paid: 5,
  confirmed: 6,
  approved: 7,
  registered: 8,
  requestAudited: 9,
} as const;

export type IdKind = keyof typeof idKinds;
