import { z } from 'zod';

/** Values in the events of several contexts. Amounts are in the currency's minor unit. */
export const currency = z.enum(['KRW', 'USD', 'EUR', 'JPY']);
export const money = z.object({ amount: z.int().min(0), currency });
/** RFC 3339 in UTC; half-open: [startAt, endAt). */
export const timeSlot = z.object({ startAt: z.iso.datetime(), endAt: z.iso.datetime() });
