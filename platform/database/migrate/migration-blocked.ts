/**
 * The database cannot be migrated now: something in it must change first, and a later attempt finds out
 * whether it has. The message is for the log; `reason` is shorter, and reveals no sessions and no names.
 */
export class MigrationBlocked extends Error {
  override name = 'MigrationBlocked';
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
