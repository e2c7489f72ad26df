import { randomUUID } from 'node:crypto';

/** The price of an hour. */
export const PRICE = 10_000;

/** What is booked on the next day, for as many hours as the price says. */
function termsOf(hours: number) {
  return {
    slot: { startAt: '2040-01-03T10:00:00.000Z', endAt: `2040-01-03T${10 + hours}:00:00.000Z` },
    headcount: 1,
    price: { amount: hours * PRICE, currency: 'KRW' },
  };
}

/** What was requested first. */
const REQUESTED = {
  slot: { startAt: '2040-01-01T11:00:00.000Z', endAt: '2040-01-01T12:00:00.000Z' },
  headcount: 1,
  price: { amount: PRICE, currency: 'KRW' },
};

/**
 * All changes of the rescheduled booking, in the order in which they were requested: to two hours of another
 * day, to a third hour that is declined, to one whose charge is refunded, and to one hour less.
 */
export const CHANGES = {
  dearer: {
    id: randomUUID(),
    state: 'APPLIED',
    difference: PRICE,
    from: REQUESTED,
    to: termsOf(2),
  },
  declined: {
    id: randomUUID(),
    state: 'DECLINED',
    difference: PRICE,
    from: termsOf(2),
    to: termsOf(3),
  },
  expired: {
    id: randomUUID(),
    state: 'EXPIRED',
    difference: PRICE,
    from: termsOf(2),
    to: termsOf(3),
  },
  cheaper: {
    id: randomUUID(),
    state: 'APPLIED',
    difference: -PRICE,
    from: termsOf(2),
    to: termsOf(1),
  },
} as const;
export type ChangeName = keyof typeof CHANGES;
