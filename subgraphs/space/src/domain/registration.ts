import type { IllegalTransition } from './refusals.ts';
import type { RegistrationStatus } from './registration-status.ts';

export interface RegistrationState {
  id: string;
  bookingId: string;
  /** Null for a tombstone: cancelled before any payment was approved. */
  paymentId: string | null;
  spaceId: string;
  slot: { startAt: Date; endAt: Date };
  status: RegistrationStatus;
  rejectReason: string | null;
  version: number;
  registeredAt: Date | null;
  cancelledAt: Date | null;
}

/** A paid booking whose use is to be registered. */
export type PaidUse = Pick<RegistrationState, 'bookingId' | 'spaceId' | 'slot'> & {
  paymentId: string;
};

/** The identity of a new registration. */
interface Creation {
  id: string;
  now: Date;
}

/** The registered use of a space: immutable, transitions return the next version. */
export class Registration {
  readonly state: Readonly<RegistrationState>;

  constructor(state: RegistrationState) {
    this.state = state;
  }

  static register(use: PaidUse, creation: Creation): Registration {
    return new Registration({
      ...use,
      id: creation.id,
      status: 'REGISTERED',
      rejectReason: null,
      version: 1,
      registeredAt: creation.now,
      cancelledAt: null,
    });
  }

  /** The use cannot be registered; book cancels the booking. */
  static reject(use: PaidUse, reason: string, creation: Creation): Registration {
    const { state } = Registration.register(use, creation);
    return new Registration({
      ...state,
      status: 'REJECTED',
      rejectReason: reason,
      registeredAt: null,
    });
  }

  /** Cancelled before it was registered: a late approval finds this and registers nothing. */
  static tombstone(
    use: Pick<RegistrationState, 'bookingId' | 'spaceId' | 'slot'>,
    creation: Creation,
  ): Registration {
    const { state } = Registration.register({ ...use, paymentId: '' }, creation);
    return new Registration({
      ...state,
      paymentId: null,
      status: 'CANCELLED',
      registeredAt: null,
      cancelledAt: creation.now,
    });
  }

  /** The booking was rescheduled to the slot. */
  move(slot: RegistrationState['slot']): Registration | IllegalTransition {
    const { state } = this;
    if (state.status !== 'REGISTERED') {
      return { type: 'IllegalTransition', from: state.status, verb: 'move' };
    }
    return new Registration({ ...state, slot, version: state.version + 1 });
  }

  /** Cancels the registration; a rejected one stays rejected, and gets its last version. */
  cancel(now: Date): Registration | IllegalTransition {
    const { state } = this;
    if (state.cancelledAt !== null) {
      return { type: 'IllegalTransition', from: state.status, verb: 'cancel' };
    }
    const status = state.status === 'REJECTED' ? 'REJECTED' : 'CANCELLED';
    return new Registration({ ...state, status, cancelledAt: now, version: state.version + 1 });
  }
}
