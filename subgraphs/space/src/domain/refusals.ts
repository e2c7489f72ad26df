import type { RegistrationStatus } from './registration-status.ts';

/** Rules that say no. They are answers, not errors. */
export interface InvalidSpace {
  type: 'InvalidSpace';
  message: string;
  /** The path of the input at fault, for example `openingHours[0].closes`. */
  field: string;
}

/** What was asked for does not fit the registration's present status. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: RegistrationStatus;
  verb: string;
}
