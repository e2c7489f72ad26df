import { z } from 'zod';

/** Values in the events of several contexts. Amounts are in the currency's minor unit. */
export const currency = z.enum(['KRW', 'USD', 'EUR', 'JPY']);
export const money = z.object({ amount: z.int().min(0), currency });
/**
 * RFC 3339 in UTC on the wire, a Date in the code. JSON writes a Date as `encode` does, so a publisher
 * puts Dates into its payload.
 */
export const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
/** Half-open: [startAt, endAt). */
export const timeSlot = z.object({ startAt: instant, endAt: instant });
export type TimeSlot = z.infer<typeof timeSlot>;
