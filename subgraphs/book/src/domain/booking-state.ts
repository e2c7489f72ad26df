import type { BookingStatus } from './lifecycle.ts';
import type { Money } from './money.ts';
import type { AddOnSelection, PriceLine } from './price-quote.ts';
import type { RefundTier } from './refund-schedule.ts';
import type { TimeSlot } from './time-slot.ts';

export interface BookingState {
  id: string;
  customerId: string;
  idempotencyKey: string;
  spaceId: string;
  hostId: string;
  spaceName: string;
  timeZone: string;
  slot: TimeSlot;
  headcount: number;
  addOns: readonly AddOnSelection[];
  /** The customer's words to the host. */
  note: string | null;
  /** Frozen at the request, like everything down to the buffers. */
  price: Money;
  priceLines: readonly PriceLine[];
  /** Inside the price. */
  vat: Money;
  refundTiers: readonly RefundTier[];
  /** Kept free before and after the slot. */
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  /** Empty once the payment is not awaited any more. */
  paymentMethod: string;
  status: BookingStatus;
  /** Rises with every change; a store refuses to save over a newer one. */
  version: number;
  requestedAt: Date;
  /** The end of the hold unless the host's decision, then the payment, comes first. */
  holdExpiresAt: Date;
  /** Null: the host has not decided, or need not. */
  decision: 'APPROVED' | 'REJECTED' | null;
  rejectionReason: string | null;
  paymentAttempts: number;
  /** When payment is requested again, or the hold expires; null unless one of them may follow. */
  nextPaymentAttemptAt: Date | null;
  /** What the cancellation refunds, frozen when it was accepted. */
  refund: Money | null;
  /** What operators gave back of the charge beyond the policy. */
  goodwill: Money;
  paymentCancelled: boolean;
  registrationCancelled: boolean;
  /** The change that is under way; null: none. */
  openChange: OpenChange | null;
  correlationId: string;
}

/** A change of which something is awaited: its payment, or the move of the registration. */
export interface OpenChange {
  id: string;
  /** The version of the booking in which it was applied; null: it is not yet. */
  appliedIn: number | null;
}

/** What a request is made in. */
export interface BookingContext {
  id: string;
  now: Date;
  /** For how long the slot is held for its payment. */
  holdSeconds: number;
  /** Public holidays of the space's country around the slot, YYYY-MM-DD. */
  holidays: ReadonlySet<string>;
  correlationId: string;
}
