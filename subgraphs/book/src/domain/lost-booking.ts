import { Booking } from './booking.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import type { KnownBooking } from './consistency.ts';
import { taxInside } from './money.ts';

/** What other contexts know of a booking that book has lost. Amounts are in the currency's minor unit. */
export interface LostBooking extends KnownBooking {
  id: string;
  refund: number;
}

/** Above each version that book has published of a lost booking, so that consumers accept what follows. */
const VERSION_OF_LOST = 1_000_000;

/**
 * A booking that book has lost, as one that is being cancelled. What only book knew is what the space says
 * today, or the least there can be; nothing depends on it any more.
 */
export function toLostBooking(
  { id, customerId, spaceId, ...lost }: LostBooking,
  space: CatalogueSpace,
  { now, correlationId }: { now: Date; correlationId: string },
): Booking {
  const { currency } = lost;
  const price = { amount: lost.price, currency };
  const slot = { startAt: new Date(lost.startAt), endAt: new Date(lost.endAt) };
  return new Booking({
    ...{ id, customerId, spaceId, slot, price, correlationId },
    // The customer's own key is lost as well.
    idempotencyKey: `lost-${id}`,
    hostId: space.hostId,
    spaceName: space.name,
    timeZone: space.timeZone,
    headcount: 1,
    addOns: [],
    note: null,
    priceLines: [],
    vat: taxInside(price, space.vatPercent),
    refundTiers: space.refundTiers,
    bufferBeforeMinutes: 0,
    bufferAfterMinutes: 0,
    paymentMethod: '',
    status: 'CANCELLING',
    version: VERSION_OF_LOST,
    requestedAt: now,
    holdExpiresAt: now,
    decision: null,
    rejectionReason: null,
    paymentAttempts: 0,
    nextPaymentAttemptAt: null,
    refund: { amount: lost.refund, currency },
    goodwill: { amount: 0, currency },
    paymentCancelled: false,
    registrationCancelled: false,
    openChange: null,
  });
}
