/** What each status means. `event`: what entering it publishes. */
const STATUSES = {
  // The host has not decided yet, and nothing is charged.
  AWAITING_APPROVAL: { event: 'Booked', awaits: 'approval', holdsSlot: 'always' },
  REJECTED: { event: 'BookingReleased', awaits: null, holdsSlot: 'never' },
  REQUESTED: { event: 'Booked', awaits: 'payment', holdsSlot: 'always' },
  PAYMENT_DEFERRED: { event: 'BookingStatusChanged', awaits: 'payment', holdsSlot: 'always' },
  PAID: { event: 'BookingPaid', awaits: 'registration', holdsSlot: 'always' },
  REGISTERED: { event: 'BookingStatusChanged', awaits: null, holdsSlot: 'always' },
  // The slot is free once nothing is registered, however long the refund takes.
  CANCELLING: {
    event: 'BookingCancelled',
    awaits: 'cancellation',
    holdsSlot: 'until-deregistered',
  },
  CANCELLED: { event: 'BookingReleased', awaits: null, holdsSlot: 'never' },
  DECLINED: { event: 'BookingReleased', awaits: null, holdsSlot: 'never' },
  EXPIRED: { event: 'BookingReleased', awaits: null, holdsSlot: 'never' },
} as const satisfies Record<string, StatusMeaning>;

interface StatusMeaning {
  event: string;
  /** The step that must follow before a deadline; null: none must. */
  awaits: 'approval' | 'payment' | 'registration' | 'cancellation' | null;
  holdsSlot: 'always' | 'until-deregistered' | 'never';
}

export type BookingStatus = keyof typeof STATUSES;
export type BookingEventType = (typeof STATUSES)[BookingStatus]['event'];

const UNPAID = ['REQUESTED', 'PAYMENT_DEFERRED'] as const;

/**
 * Which status each verb admits, and where it leads. The two cancellation steps come in any order;
 * `completeCancellation` belongs to the later one's version.
 */
const TRANSITIONS = {
  approve: { from: ['AWAITING_APPROVAL'], to: 'REQUESTED' },
  reject: { from: ['AWAITING_APPROVAL'], to: 'REJECTED' },
  deferPayment: { from: UNPAID, to: 'PAYMENT_DEFERRED' },
  approvePayment: { from: UNPAID, to: 'PAID' },
  declinePayment: { from: UNPAID, to: 'DECLINED' },
  expire: { from: ['AWAITING_APPROVAL', ...UNPAID], to: 'EXPIRED' },
  confirm: { from: ['PAID'], to: 'REGISTERED' },
  reschedule: { from: ['REGISTERED'], to: 'REGISTERED' },
  cancel: { from: ['AWAITING_APPROVAL', ...UNPAID, 'PAID', 'REGISTERED'], to: 'CANCELLING' },
  rejectRegistration: { from: [...UNPAID, 'PAID'], to: 'CANCELLING' },
  completePaymentCancellation: { from: ['CANCELLING'], to: 'CANCELLING' },
  completeRegistrationCancellation: { from: ['CANCELLING'], to: 'CANCELLING' },
  completeCancellation: { from: ['CANCELLING'], to: 'CANCELLED' },
} as const satisfies Record<string, { from: readonly BookingStatus[]; to: BookingStatus }>;

export type Verb = keyof typeof TRANSITIONS;

/** The status to which the verb leads; undefined where it is illegal. */
export function nextStatus(verb: Verb, from: BookingStatus): BookingStatus | undefined {
  const { from: admitted, to }: { from: readonly BookingStatus[]; to: BookingStatus } =
    TRANSITIONS[verb];
  return admitted.includes(from) ? to : undefined;
}

/** Every step that the lifecycle admits, in the order of the table. */
export const transitions: readonly { from: BookingStatus; verb: Verb; to: BookingStatus }[] = (
  Object.keys(TRANSITIONS) as Verb[]
).flatMap((verb) => {
  const { from, to } = TRANSITIONS[verb];
  return from.map((status) => ({ from: status, verb, to }));
});

export const statuses = Object.keys(STATUSES) as BookingStatus[];

/** The event that a booking publishes when it enters the status. */
export const eventTypeFor = (status: BookingStatus): BookingEventType => STATUSES[status].event;

export function holdsSlot(status: BookingStatus, registrationCancelled: boolean): boolean {
  const { holdsSlot } = STATUSES[status];
  return holdsSlot === 'always' || (holdsSlot === 'until-deregistered' && !registrationCancelled);
}

/** Nothing follows it. */
export const isFinal = (status: BookingStatus): boolean =>
  !transitions.some(({ from }) => from === status);

/** The outcome of the payment is not known yet. */
export const isUnpaid = (status: BookingStatus): boolean => STATUSES[status].awaits === 'payment';

/** It holds its slot until `holdExpiresAt`, and keeps the payment method for a charge. */
export const isExpiring = (status: BookingStatus): boolean =>
  isUnpaid(status) || STATUSES[status].awaits === 'approval';

export const finalStatuses = statuses.filter(isFinal);
export const expiringStatuses = statuses.filter(isExpiring);
/** The decision of the host or a step of another context must follow, before a deadline. */
export const pendingStatuses = statuses.filter((status) => STATUSES[status].awaits !== null);
/** The pending ones whose payment is known: payment and space are queried about them. */
export const checkedStatuses = pendingStatuses.filter((status) => !isExpiring(status));
