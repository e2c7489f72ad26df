import type { ViewRecord } from '#contracts/reconciliation.ts';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { liveGenerationReader } from './live-generation.ts';

/** Reads views for the reconciliation. */
export function viewRecords(prisma: PrismaClient) {
  const live = liveGenerationReader(prisma);
  return async (bookingIds: readonly string[]): Promise<ViewRecord[]> =>
    prisma.bookingStatusView.findMany({
      where: { generation: await live(), bookingId: { in: [...bookingIds] } },
      select: {
        bookingId: true,
        status: true,
        paymentStatus: true,
        refunded: true,
        registrationStatus: true,
      },
    });
}
