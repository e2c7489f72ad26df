import type { z } from 'zod';

/** One kind of event: the topic that carries it, and the shape of its payload. */
export interface EventContract<Payload = unknown> {
  topic: string;
  payload: z.ZodType<Payload>;
  /**
   * Functions that bring an older payload to the present shape: the first from schema version 1 to 2,
   * the next from 2 to 3. Their number gives the present version; without any it is 1.
   */
  upcasts?: readonly ((older: never) => unknown)[];
}

/** The events of one publisher by their type. */
export type EventContracts = Readonly<Record<string, EventContract>>;

/** The version in which events of the contract are published: one more than it has upcasts. */
export function schemaVersionOf(contract: Pick<EventContract, 'upcasts'>): number {
  return 1 + (contract.upcasts?.length ?? 0);
}
