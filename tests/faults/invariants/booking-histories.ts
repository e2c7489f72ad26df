import { randomUUID } from 'node:crypto';
import type { BookingInput } from '../load/records.ts';
import { CHANGES, PRICE } from './booking-changes.ts';

export { PRICE };

/** A published event of an aggregate, and the contexts that have processed it. */
export interface HistoryEvent {
  version: number;
  type: string;
  status: string;
  consumers: ('book' | 'payment' | 'space')[];
  /** What the payload has in the place of the request's slot and price, and beside them. */
  payload?: object;
}

/** All events of a booking, its payment and its registration, until nothing follows. */
interface History {
  booking: HistoryEvent[];
  payment: HistoryEvent[];
  registration: HistoryEvent[];
}

/** Names the booking that ends this way. */
export type Ending =
  | 'registered'
  | 'rescheduled'
  | 'cancelled'
  | 'declined'
  | 'expired'
  | 'rejected';

export const CUSTOMER = 'kim';
/** What the customer of the cancelled booking gets back. */
export const REFUND = PRICE / 2;
export const SPACE = { id: randomUUID(), name: 'Room' };

export const HISTORIES: Record<Ending, History> = {
  registered: {
    booking: [
      { version: 1, type: 'Booked', status: 'REQUESTED', consumers: ['space'] },
      { version: 2, type: 'BookingPaid', status: 'PAID', consumers: ['space'] },
      { version: 3, type: 'BookingStatusChanged', status: 'REGISTERED', consumers: [] },
    ],
    payment: [{ version: 2, type: 'PaymentApproved', status: 'APPROVED', consumers: ['space'] }],
    registration: [{ version: 1, type: 'Registered', status: 'REGISTERED', consumers: ['book'] }],
  },
  // Registered, changed as CHANGES say.
  rescheduled: {
    booking: [
      { version: 1, type: 'Booked', status: 'REQUESTED', consumers: ['space'] },
      { version: 2, type: 'BookingPaid', status: 'PAID', consumers: ['space'] },
      { version: 3, type: 'BookingStatusChanged', status: 'REGISTERED', consumers: [] },
      rescheduled(5, CHANGES.dearer),
      rescheduled(12, CHANGES.cheaper),
    ],
    payment: [
      { version: 2, type: 'PaymentApproved', status: 'APPROVED', consumers: ['space'] },
      adjusted(3, 'APPROVED', 2 * PRICE, 0),
      adjusted(4, 'APPROVED', 3 * PRICE, 0),
      adjusted(5, 'PARTIALLY_REFUNDED', 3 * PRICE, PRICE),
      adjusted(6, 'PARTIALLY_REFUNDED', 3 * PRICE, 2 * PRICE),
    ],
    registration: [
      { version: 1, type: 'Registered', status: 'REGISTERED', consumers: ['book'] },
      { version: 2, type: 'RegistrationMoved', status: 'REGISTERED', consumers: ['book'] },
      { version: 3, type: 'RegistrationMoved', status: 'REGISTERED', consumers: ['book'] },
    ],
  },
  cancelled: {
    booking: [
      { version: 1, type: 'Booked', status: 'REQUESTED', consumers: ['space'] },
      { version: 2, type: 'BookingPaid', status: 'PAID', consumers: ['space'] },
      { version: 3, type: 'BookingStatusChanged', status: 'REGISTERED', consumers: [] },
      {
        version: 4,
        type: 'BookingCancelled',
        status: 'CANCELLING',
        consumers: ['payment', 'space'],
      },
      { version: 6, type: 'BookingReleased', status: 'CANCELLED', consumers: ['payment', 'space'] },
    ],
    payment: [
      { version: 2, type: 'PaymentApproved', status: 'APPROVED', consumers: ['space'] },
      { version: 3, type: 'PaymentCancelled', status: 'PARTIALLY_REFUNDED', consumers: ['book'] },
    ],
    registration: [
      { version: 1, type: 'Registered', status: 'REGISTERED', consumers: ['book'] },
      { version: 2, type: 'RegistrationCancelled', status: 'CANCELLED', consumers: ['book'] },
    ],
  },
  declined: {
    booking: [
      { version: 1, type: 'Booked', status: 'REQUESTED', consumers: ['space'] },
      { version: 2, type: 'BookingReleased', status: 'DECLINED', consumers: ['payment', 'space'] },
    ],
    payment: [{ version: 2, type: 'PaymentDeclined', status: 'DECLINED', consumers: [] }],
    registration: [],
  },
  expired: {
    booking: [
      { version: 1, type: 'Booked', status: 'REQUESTED', consumers: ['space'] },
      { version: 2, type: 'BookingStatusChanged', status: 'PAYMENT_DEFERRED', consumers: [] },
      { version: 3, type: 'BookingReleased', status: 'EXPIRED', consumers: ['payment', 'space'] },
    ],
    payment: [{ version: 2, type: 'PaymentCancelled', status: 'VOIDED', consumers: ['book'] }],
    registration: [
      { version: 1, type: 'RegistrationCancelled', status: 'CANCELLED', consumers: ['book'] },
    ],
  },
  rejected: {
    booking: [
      { version: 1, type: 'Booked', status: 'AWAITING_APPROVAL', consumers: ['space'] },
      { version: 2, type: 'BookingReleased', status: 'REJECTED', consumers: ['payment', 'space'] },
    ],
    payment: [],
    registration: [],
  },
};

function rescheduled(
  version: number,
  change: (typeof CHANGES)[keyof typeof CHANGES],
): HistoryEvent {
  const { id: changeId, difference, to } = change;
  const { slot, headcount, price } = to;
  return {
    ...{ version, type: 'BookingRescheduled', status: 'REGISTERED' },
    consumers: ['payment', 'space'],
    payload: { slot, headcount, price, change: { changeId, difference } },
  };
}

function adjusted(version: number, status: string, amount: number, refunded: number): HistoryEvent {
  const payload = { amount, refunded, refundedForChanges: refunded };
  return { version, type: 'PaymentAdjusted', status, consumers: [], payload };
}

/** A time that the host closed, after the bookings. */
export const BLOCK = {
  id: randomUUID(),
  key: 'repairs',
  startAt: '2040-01-02T10:00:00.000Z',
  endAt: '2040-01-02T12:00:00.000Z',
};

/** What the customer requested: each booking has an hour of its own. */
export function inputFor(ending: Ending): BookingInput {
  const hour = Object.keys(HISTORIES).indexOf(ending) + 10;
  return {
    spaceId: SPACE.id,
    startAt: `2040-01-01T${hour}:00:00.000Z`,
    endAt: `2040-01-01T${hour + 1}:00:00.000Z`,
    headcount: 1,
    paymentMethod: 'pm_ok',
  };
}
