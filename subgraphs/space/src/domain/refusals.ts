import type { RegistrationStatus } from './registration-status.ts';

/** The listing breaks a rule. A refusal is returned, not thrown. */
export interface InvalidSpace {
  type: 'InvalidSpace';
  message: string;
  /** The path of the wrong input, for example `openingHours[0].closes`. */
  field: string;
}

/** The registration's status does not permit the transition. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: RegistrationStatus;
  verb: string;
}
