import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
} from '../src/booking-status-view.ts';
import { bookingEvent } from './a-history.ts';
import type { Engine } from './engines.ts';

export interface BookingIds {
  bookingId: string;
  customerId: string;
}

/** A booking of a customer of its own. */
export const newBooking = (): BookingIds => ({
  bookingId: uuidv7(),
  customerId: `customer-${uuidv7()}`,
});

/** The view that the events make. */
export const projectAll = (events: readonly ProjectedEvent[]) =>
  events.reduce<BookingStatusView | null>(project, null);

/** The views on a new database, with as many clients as the engine has writers. */
export async function openViews({ clients: count, create }: Engine) {
  const database = await create();
  const clients = await Promise.all(
    Array.from({ length: count }, () => openViewDatabase(database.url)),
  );
  const views = prismaViewStore(clients[0] as PrismaClient);
  return {
    clients,
    views,
    findView: ({ customerId, bookingId }: BookingIds) => views.find(customerId, bookingId),
    async readTimeline({ bookingId }: BookingIds) {
      const timelines = await views.timelines([bookingId]);
      return timelines.get(bookingId)?.map(({ status }) => status);
    },
    async close() {
      await Promise.all(clients.map((client) => client.$disconnect()));
      await database.drop();
    },
  };
}
export type OpenViews = Awaited<ReturnType<typeof openViews>>;

/** An event whose slot is no instant, which no database stores. */
export function unstorable(booking: BookingIds): ProjectedEvent {
  const never = new Date(Number.NaN);
  return bookingEvent(1, 'REQUESTED', { ...booking, slot: { startAt: never, endAt: never } });
}
