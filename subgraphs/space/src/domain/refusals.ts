import type { RegistrationStatus } from './registration-status.ts';
import type { Space } from './space.ts';

/** The listing or change breaks a rule. A refusal is returned, not thrown. */
export interface InvalidSpace {
  type: 'InvalidSpace';
  message: string;
  /** The path of the wrong input, for example `openingHours[0].closes`. */
  field: string;
}

/** There is no such space, or it belongs to another host. */
export interface SpaceNotFound {
  type: 'SpaceNotFound';
  message: string;
}

/** The space is no longer of the version that the change was made from. */
export interface SpaceChanged {
  type: 'SpaceChanged';
  message: string;
  /** As it is now. */
  space: Space;
}

/** The registration's status does not permit the transition. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: RegistrationStatus;
  verb: string;
}
