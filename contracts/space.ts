import { z } from 'zod';
import { currency } from './values.ts';

export const dayOfWeek = z.enum([
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
]);
/** Local wall-clock times HH:MM; `closes` may be 24:00. */
export const openingHours = z.object({ day: dayOfWeek, opens: z.string(), closes: z.string() });
export const refundTier = z.object({
  daysBefore: z.int().min(0),
  percent: z.int().min(0).max(100),
});

const spacePayload = z.object({
  spaceId: z.uuid(),
  hostId: z.string(),
  name: z.string(),
  timeZone: z.string(),
  capacity: z.int().min(1),
  hourlyRate: z.int().min(0),
  currency,
  openingHours: z.array(openingHours),
  refundTiers: z.array(refundTier),
});
export type SpacePayload = z.infer<typeof spacePayload>;

/** The whole state of the registration after the event. `paymentId` is null for a tombstone. */
const registrationPayload = z.object({
  registrationId: z.uuid(),
  bookingId: z.uuid(),
  paymentId: z.uuid().nullable(),
  status: z.enum(['REGISTERED', 'CANCELLED', 'REJECTED']),
  reason: z.string().nullable(),
});
export type RegistrationPayload = z.infer<typeof registrationPayload>;

export const spaceEvents = {
  SpaceListed: { topic: 'space', payload: spacePayload },
  Registered: { topic: 'registration', payload: registrationPayload },
  /** The use cannot be registered. Book cancels the booking. */
  RegistrationRejected: {
    topic: 'registration',
    payload: registrationPayload,
  },
  /** No use is registered for the booking, now or later. */
  RegistrationCancelled: {
    topic: 'registration',
    payload: registrationPayload,
  },
} as const;
