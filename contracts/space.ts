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

const spaceFacts = z.object({
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
export type SpaceFacts = z.infer<typeof spaceFacts>;

/** The registration as it is after the event. `paymentId` is null for a tombstone. */
const registrationFacts = z.object({
  registrationId: z.uuid(),
  bookingId: z.uuid(),
  paymentId: z.uuid().nullable(),
  status: z.enum(['REGISTERED', 'CANCELLED', 'REJECTED']),
  reason: z.string().nullable(),
});
export type RegistrationFacts = z.infer<typeof registrationFacts>;

export const spaceEvents = {
  SpaceListed: { topic: 'space', payload: spaceFacts },
  Registered: { topic: 'registration', payload: registrationFacts },
  /** The use cannot be registered: book takes the booking back. */
  RegistrationRejected: {
    topic: 'registration',
    payload: registrationFacts,
  },
  /** Nothing is registered for the booking, and nothing will be. */
  RegistrationCancelled: {
    topic: 'registration',
    payload: registrationFacts,
  },
} as const;
