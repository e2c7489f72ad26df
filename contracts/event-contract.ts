import type { z } from 'zod';

/** One type of event: its topic, and the schema of its payload. */
export interface EventContract<Payload = unknown> {
  topic: string;
  payload: z.ZodType<Payload>;
  /**
   * Functions that convert an older payload to the present schema: the first from schema version 1 to 2,
   * the next from 2 to 3. Their number plus 1 is the present version.
   */
  upcasts?: readonly ((older: never) => unknown)[];
}

/** The events of one publisher by type. */
export type EventContracts = Readonly<Record<string, EventContract>>;

/** The schema version of new events: the number of upcasts plus 1. */
export function presentSchemaVersion(contract: Pick<EventContract, 'upcasts'>): number {
  return 1 + (contract.upcasts?.length ?? 0);
}
