import { v7 as uuidv7 } from 'uuid';
import { calendarNotifications } from '../src/adapters/calendar-notifications.ts';
import { postgresBlockStore } from '../src/adapters/postgres-block-store.ts';
import { postgresChangeStore } from '../src/adapters/postgres-change-store.ts';
import { prismaCatalogue } from '../src/adapters/prisma-catalogue.ts';
import type { Block } from '../src/domain/block.ts';
import type { Booking } from '../src/domain/booking.ts';
import type { CatalogueSpace } from '../src/domain/catalogue-space.ts';
import type { BookPorts } from '../src/ports.ts';
import { ANY_SLOT, aBooking, aSpace, MANY_HOLDS } from './a-booking.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
} from './prisma-booking-store/booking-database.ts';

export const STEP_MINUTES = 30;
/** Any half hours within ten years. */
export const RULES = { ...ANY_SLOT, stepMinutes: STEP_MINUTES, minMinutes: STEP_MINUTES };
export const HOST = { userId: 'hana', role: 'host' } as const;

/** Stores of one database that publish notifications of calendars. */
export interface CalendarStores {
  book: BookingDatabase;
  stores: Pick<BookPorts, 'bookings' | 'changes' | 'blocks' | 'catalogue'>;
  /** What was published. */
  messages: string[];
  storeSpace(space: CatalogueSpace): Promise<void>;
  /** Stores a space that is always open. */
  newSpace(changes?: Partial<CatalogueSpace>): Promise<CatalogueSpace>;
  /** Books hours of the fixtures' day. */
  insert(space: CatalogueSpace, from: number, to: number): Promise<Booking>;
}

export async function openCalendarStores(): Promise<CalendarStores> {
  const book = await openBookingDatabase();
  const { pool } = book.database;
  const messages: string[] = [];
  const relay = { publish: () => {} };
  const stores = calendarNotifications({
    publish: (text) => void messages.push(text),
  }).notifying({
    bookings: book.store,
    changes: postgresChangeStore(pool, relay),
    blocks: postgresBlockStore(pool, relay),
    catalogue: prismaCatalogue(book.prisma, pool),
  });
  const storeSpace = (space: CatalogueSpace) => stores.catalogue.store(space, uuidv7());
  return {
    book,
    stores,
    messages,
    storeSpace,
    async newSpace(changes = {}) {
      const space = aSpace({ id: uuidv7(), bookingRules: RULES, ...changes });
      await storeSpace(space);
      return space;
    },
    async insert(space, from, to) {
      const booking = aBooking({ spaceId: space.id, slot: hours(from, to) }, { space });
      const by = { userId: 'chulsoo', role: 'customer' } as const;
      const inserted = await stores.bookings.insert(booking, MANY_HOLDS, by);
      if (typeof inserted === 'string') throw new Error(inserted);
      return inserted;
    },
  };
}

export const aBlock = ({ id }: CatalogueSpace, from: number, to: number): Block => ({
  ...{ id: uuidv7(), spaceId: id, hostId: 'hana', slot: hours(from, to), reason: 'Repairs' },
  ...{ createdBy: 'hana', idempotencyKey: uuidv7(), removedAt: null },
});
