import { toEvenHour } from '../../system/spaces.ts';
import type { System } from '../../system/system.ts';
import { bookRows, paymentRows, spaceRows, storeRows } from './postgres-rows.ts';
import { storeViews } from './view-rows.ts';

/**
 * Stores REGISTERED bookings in the databases of all contexts with everything they leave behind: the
 * payment and the registration, its finished outbox rows, its inboxes and its view.
 */
export async function storeBookings(
  { postgresUrl, instance }: System,
  count: number,
  spaceIds: readonly string[],
): Promise<void> {
  const now = new Date();
  const stored = { count, spaceIds, middle: toEvenHour(now), now };
  await Promise.all([
    storeRows(postgresUrl('book'), stored, bookRows),
    storeRows(postgresUrl('payment'), stored, paymentRows),
    storeRows(postgresUrl('space'), stored, spaceRows),
  ]);
  // After the others, not concurrently: its driver blocks this thread.
  await storeViews(instance.databases.mypage as string, stored);
}
