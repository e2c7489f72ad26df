import { type EventContract, presentSchemaVersion } from '#contracts/event-contract.ts';
import { hasOnlyUnknownValues, NotUnderstood } from './failures.ts';

/**
 * Reads an event's payload by its contract: upcasts it to the present schema version step by step,
 * then parses it without unknown fields. A missing version means 1. Throws NotUnderstood for a newer
 * version and for values that the contract does not list, ZodError for a malformed payload.
 */
export function readPayload<Payload>(
  contract: EventContract<Payload>,
  event: { type: string; schemaVersion?: number | undefined; payload: unknown },
): Payload {
  const version = event.schemaVersion ?? 1;
  const present = presentSchemaVersion(contract);
  if (version > present) {
    throw new NotUnderstood(`${event.type} has schema version ${version}, known is ${present}`);
  }
  const steps = (contract.upcasts ?? []).slice(version - 1) as ((older: unknown) => unknown)[];
  const payload = steps.reduce((older, upcast) => upcast(older), event.payload);
  const parsed = contract.payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  if (!hasOnlyUnknownValues(parsed.error, payload)) throw parsed.error;
  const places = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new NotUnderstood(`${event.type} has an unknown value at ${places}`);
}
