import { type EventContract, schemaVersionOf } from '#contracts/event-contract.ts';
import { hasOnlyUnknownValues, NotUnderstood } from './failures.ts';

/**
 * Reads an event's payload by its contract: brings it to the present schema version step by step,
 * then parses it; unknown fields are left out. A missing version means 1. Throws NotUnderstood for a
 * newer version and for values that the contract does not list, ZodError for what is malformed.
 */
export function readPayload<Payload>(
  contract: EventContract<Payload>,
  event: { type: string; schemaVersion?: number | undefined; payload: unknown },
): Payload {
  const version = event.schemaVersion ?? 1;
  const present = schemaVersionOf(contract);
  if (version > present) {
    throw new NotUnderstood(`${event.type} has schema version ${version}, known is ${present}`);
  }
  const steps = (contract.upcasts ?? []).slice(version - 1) as ((older: unknown) => unknown)[];
  const payload = steps.reduce((older, upcast) => upcast(older), event.payload);
  const read = contract.payload.safeParse(payload);
  if (read.success) return read.data;
  if (!hasOnlyUnknownValues(read.error, payload)) throw read.error;
  const places = read.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new NotUnderstood(`${event.type} has an unknown value at ${places}`);
}
