/** A field of a request that breaks a rule; the message ends with a full stop. */
export interface RequestProblem {
  field: string;
  message: string;
}
