import { evenHourOf } from '../../system/spaces.ts';
import type { System } from '../../system/system.ts';
import { bookRows, paymentRows, spaceRows, storeRows } from './postgres-rows.ts';
import { storeViews } from './view-rows.ts';

/**
 * Puts REGISTERED bookings into the databases of all contexts as if each had lived its life: with its
 * payment and registration, its finished outbox rows, its inboxes and its view.
 */
export async function storeBookings(
  { postgresUrl, instance }: System,
  count: number,
  spaceIds: readonly string[],
): Promise<void> {
  const now = new Date();
  const stored = { count, spaceIds, middle: evenHourOf(now), now };
  await Promise.all([
    storeRows(postgresUrl('book'), stored, bookRows),
    storeRows(postgresUrl('payment'), stored, paymentRows),
    storeRows(postgresUrl('space'), stored, spaceRows),
  ]);
  // After the others, not beside them: its driver holds up this program while it works.
  await storeViews(instance.databases.mypage as string, stored);
}
