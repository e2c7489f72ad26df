import { v7 as uuidv7 } from 'uuid';
import { type BookingPayload, bookingEvents } from '#contracts/book.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import { type FreeSlot, HOURLY_RATE } from '../../system/spaces.ts';

export interface LifecycleDatabases {
  book: Pool;
  payment: Pool;
  space: Pool;
  /** Projects an event into mypage; resolves when it is committed. */
  project(event: ProjectedEvent): Promise<void>;
  /** Records an event whose consumers have yet to acknowledge it. */
  committed(outbox: 'book' | 'payment' | 'space', event: EventRecord): void;
}

const SOURCES = { book: 'booking', payment: 'payment', space: 'registration' } as const;

/** What the steps of one booking share: its ids, the payload of its events, and where they go. */
export class LifecycleContext {
  readonly db: LifecycleDatabases;
  readonly slot: FreeSlot;
  readonly bookingId = uuidv7();
  readonly paymentId = uuidv7();
  readonly registrationId = uuidv7();
  readonly correlationId = uuidv7();
  readonly payload: BookingPayload;
  readonly #projections: Promise<void>[] = [];

  constructor(db: LifecycleDatabases, customerId: string, slot: FreeSlot) {
    this.db = db;
    this.slot = slot;
    this.payload = {
      bookingId: this.bookingId,
      customerId,
      spaceId: slot.spaceId,
      spaceName: '',
      slot: { startAt: slot.startAt, endAt: slot.endAt },
      price: { amount: HOURLY_RATE, currency: 'KRW' },
      status: 'REQUESTED',
      refund: { amount: 0, currency: 'KRW' },
    };
  }

  bookingEvent(type: keyof typeof bookingEvents, version: number): EventRecord {
    return newEvent(type, bookingEvents[type], {
      aggregateId: this.bookingId,
      version,
      occurredAt: new Date(),
      payload: { ...this.payload },
    });
  }

  /** The event is committed: mypage projects it while the next step runs. */
  publish(outbox: keyof typeof SOURCES, event: EventRecord): void {
    this.db.committed(outbox, event);
    this.#projections.push(this.db.project(toProjected(SOURCES[outbox], event)));
  }

  async allProjected(): Promise<void> {
    await Promise.all(this.#projections);
  }
}

function toProjected(aggregate: ProjectedEvent['aggregate'], event: EventRecord): ProjectedEvent {
  const { id, version, occurredAt, payload } = event;
  const at = new Date(occurredAt);
  return { id, version, occurredAt: at, aggregate, payload } as ProjectedEvent;
}

/** Throws when a statement did not have its effect. */
export function requireEffect(isDone: boolean | undefined, effect: string): void {
  if (!isDone) throw new Error(`the SQL of the limit failed to have its effect: ${effect}`);
}
