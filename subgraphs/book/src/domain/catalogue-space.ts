import type { RefundTier } from './cancellation-policy.ts';
import type { Currency } from './money.ts';
import type { OpeningHours } from './opening-hours.ts';

/** What book knows of a space: its own copy, so that bookings go on while space is down. */
export interface CatalogueSpace {
  id: string;
  hostId: string;
  name: string;
  timeZone: string;
  capacity: number;
  hourlyRate: number;
  currency: Currency;
  openingHours: readonly OpeningHours[];
  refundTiers: readonly RefundTier[];
  version: number;
}
