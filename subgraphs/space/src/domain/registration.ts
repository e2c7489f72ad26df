import type { IllegalTransition } from './refusals.ts';
import type { RegistrationStatus } from './registration-status.ts';

export interface RegistrationState {
  id: string;
  bookingId: string;
  /** Null for a tombstone: cancelled before any payment was heard of. */
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

/** The registered use of a space: immutable, transitions return the next version. */
export class Registration {
  readonly state: Readonly<RegistrationState>;

  constructor(state: RegistrationState) {
    this.state = state;
  }

  static register(use: PaidUse, made: { id: string; now: Date }): Registration {
    return new Registration({
      ...use,
      id: made.id,
      status: 'REGISTERED',
      rejectReason: null,
      version: 1,
      registeredAt: made.now,
      cancelledAt: null,
    });
  }

  /** The use cannot be registered; book takes the booking back. */
  static reject(use: PaidUse, reason: string, made: { id: string; now: Date }): Registration {
    const { state } = Registration.register(use, made);
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
    made: { id: string; now: Date },
  ): Registration {
    const { state } = Registration.register({ ...use, paymentId: '' }, made);
    return new Registration({
      ...state,
      paymentId: null,
      status: 'CANCELLED',
      registeredAt: null,
      cancelledAt: made.now,
    });
  }

  /** Takes the registration back; what was rejected has nothing to take back but says so too. */
  cancel(now: Date): Registration | IllegalTransition {
    const { state } = this;
    if (state.cancelledAt !== null) {
      return { type: 'IllegalTransition', from: state.status, verb: 'cancel' };
    }
    const status = state.status === 'REJECTED' ? 'REJECTED' : 'CANCELLED';
    return new Registration({ ...state, status, cancelledAt: now, version: state.version + 1 });
  }
}
