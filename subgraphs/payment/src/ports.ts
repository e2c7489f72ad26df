import type { Currency, Payment } from './domain/payment.ts';

/** What a change of a payment tells the other contexts. */
export type PaymentNews = 'PaymentApproved' | 'PaymentDeclined' | 'PaymentCancelled';

/** The obligation to give money back; at most one per payment, due until it is settled. */
export interface Refund {
  paymentId: string;
  amount: number;
  settled: boolean;
}

export interface PaymentStore {
  findByBooking(bookingId: string): Promise<Payment | null>;
  /** Writes the payment unless the booking has one already; returns the one that it has. */
  request(payment: Payment): Promise<{ payment: Payment; isNew: boolean }>;
  /**
   * Writes the next version with its event. `settlesRefund` closes the refund obligation in the
   * same transaction. `stale` when the stored version is not `previous` any more.
   */
  save(
    previous: Payment,
    next: Payment,
    news: PaymentNews,
    options?: { settlesRefund: boolean },
  ): Promise<'saved' | 'stale'>;
  /**
   * Notes that the booking was given up: owes `refund` of whatever was or will be charged. A
   * booking without a payment gets `tombstone` and its news. Once per booking, whatever is sent.
   */
  giveUp(tombstone: Payment, refund: number, eventId: string): Promise<void>;
  /** Notes an event that changes nothing. */
  take(eventId: string): Promise<void>;
  refundOf(paymentId: string): Promise<Refund | null>;
  /** Leases refund obligations that are due to the caller. Returns their bookings' ids. */
  claimDueRefunds(now: Date, limit: number): Promise<string[]>;
}

/** A charge as the provider tells of it. */
export type Charge = { outcome: 'approved' } | { outcome: 'declined'; reason: string };

/** The provider refuses to work now, or does not answer. Whether it acted is unknown. */
export class ProviderUnavailable extends Error {
  override name = 'ProviderUnavailable';
}

/**
 * The payment provider. Every call carries a key and is safe to repeat: the provider acts on a key
 * once. A {@link ProviderUnavailable} means that the outcome is unknown.
 */
export interface PaymentProvider {
  /** Takes the money for the key, or tells what it did for that key before. */
  charge(request: {
    key: string;
    amount: number;
    currency: Currency;
    paymentMethod: string;
  }): Promise<Charge>;
  /** What became of the key; null: nothing so far. */
  find(key: string): Promise<Charge | null>;
  /** Makes sure that the key is never charged, unless it was: then tells so. */
  void(key: string): Promise<'voided' | 'approved'>;
  /** Gives back `amount` of the key's charge. */
  refund(key: string, amount: number): Promise<void>;
}

export interface PaymentPorts {
  payments: PaymentStore;
  provider: PaymentProvider;
  clock: () => Date;
  newId: () => string;
  correlationId: () => string;
  /** Works for a payment on nobody's request, under the correlation id of its booking. */
  resume: (payment: Payment, work: () => Promise<void>) => Promise<void>;
  log: (message: string, facts: Record<string, unknown>) => void;
}
