import { blockEvents, bookingEvents, changeEvents } from './book.ts';
import type { EventContracts } from './event-contract.ts';
import { paymentEvents } from './payment.ts';
import { spaceEvents } from './space.ts';

/** One context: its events, database and address. */
export interface ContextEntry {
  /** The events that it publishes, by type. */
  publishes: EventContracts;
  /** The types of the events that it consumes. There is one queue per topic. */
  consumes: readonly string[];
  /** The database engine; `npm start` creates the PostgreSQL databases in one server. */
  database: 'postgres' | 'mariadb or sqlite';
  /** The TCP port of its container in documents and examples. */
  port: number;
}

/**
 * All contexts, with the events that they publish and consume. A new context is one entry here: publishers,
 * relay, settings, supervisor and scripts read this list.
 */
export const topology = {
  book: {
    publishes: { ...bookingEvents, ...changeEvents, ...blockEvents },
    consumes: [
      'PaymentCancelled',
      'PaymentRefunded',
      'SpaceListed',
      'SpaceChanged',
      'Registered',
      'RegistrationMoved',
      'RegistrationRejected',
      'RegistrationCancelled',
    ],
    database: 'postgres',
    port: 4001,
  },
  payment: {
    publishes: paymentEvents,
    consumes: [
      'BookingRescheduled',
      'BookingCancelled',
      'BookingReleased',
      'BookingChangeReleased',
    ],
    database: 'postgres',
    port: 4002,
  },
  space: {
    publishes: spaceEvents,
    consumes: [
      'Booked',
      'BookingPaid',
      'BookingRescheduled',
      'BookingCancelled',
      'BookingReleased',
      'PaymentApproved',
      'SlotBlocked',
      'SlotUnblocked',
    ],
    database: 'postgres',
    port: 4003,
  },
  mypage: {
    publishes: {},
    consumes: [
      'Booked',
      'BookingPaid',
      'BookingStatusChanged',
      'BookingRescheduled',
      'BookingCancelled',
      'BookingReleased',
      'PaymentApproved',
      'PaymentAdjusted',
      'PaymentRefundFailed',
      'PaymentRefunded',
      'PaymentDeclined',
      'PaymentCancelled',
      'SpaceListed',
      'SpaceChanged',
      'Registered',
      'RegistrationRejected',
      'RegistrationCancelled',
    ],
    database: 'mariadb or sqlite',
    port: 4004,
  },
} as const satisfies Record<string, ContextEntry>;

export type ContextName = keyof typeof topology;
export const contextNames = Object.keys(topology) as ContextName[];

/** Contexts by name, as {@link topology} lists them. */
export type Topology = Readonly<Record<string, Pick<ContextEntry, 'publishes' | 'consumes'>>>;

/** The names of the contexts that consume events of a type, sorted. */
export function findConsumers(type: string, contexts: Topology = topology): string[] {
  return Object.keys(contexts)
    .filter((name) => contexts[name]?.consumes.includes(type))
    .sort();
}
