import type { KnownBooking, ViewRecord } from '#contracts/reconciliation.ts';
import type { BookingStatusView, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { liveGenerationReader } from './live-generation.ts';

/** Reads views for the reconciliation. */
export function viewRecords(prisma: PrismaClient) {
  const live = liveGenerationReader(prisma);
  return async (bookingIds: readonly string[]): Promise<ViewRecord[]> => {
    const views = await prisma.bookingStatusView.findMany({
      where: { generation: await live(), bookingId: { in: [...bookingIds] } },
    });
    return views.map((view) => ({
      bookingId: view.bookingId,
      status: view.status,
      paymentStatus: view.paymentStatus,
      refunded: view.refunded,
      registrationStatus: view.registrationStatus,
      booking: toKnownBooking(view),
    }));
  };
}

/** The ids of the bookings after one that have a view. */
export function viewedBookingIds(prisma: PrismaClient) {
  const live = liveGenerationReader(prisma);
  return async (after: string, limit: number): Promise<string[]> => {
    const views = await prisma.bookingStatusView.findMany({
      where: { generation: await live(), bookingId: { gt: after } },
      orderBy: { bookingId: 'asc' },
      take: limit,
      select: { bookingId: true },
    });
    return views.map(({ bookingId }) => bookingId);
  };
}

/** Null where events of the booking have not come, or a release up to 0.2.0 has stored them. */
function toKnownBooking(view: BookingStatusView): KnownBooking | null {
  const { customerId, spaceId, startAt, endAt, priceAmount, currency } = view;
  if (!customerId || !spaceId || !startAt || !endAt || priceAmount === null || !currency) {
    return null;
  }
  return {
    customerId,
    spaceId,
    startAt: startAt.toISOString(),
    endAt: endAt.toISOString(),
    price: priceAmount,
    currency: currency as KnownBooking['currency'],
  };
}
