import { randomUUID } from 'node:crypto';
import type { RouterClient } from '../load/router-client.ts';

/** `MUTATIONS_PER_MINUTE_PER_USER` of the routers: far above what a subscriber sends. */
export const MUTATIONS_PER_MINUTE = 200;
/** Two routers that count each for itself admit twice the limit. */
const SENT = 2 * MUTATIONS_PER_MINUTE + 50;
const AT_ONCE = 8;
const MAX_ATTEMPTS = 20;

const CANCEL = `mutation Cancel($id: ID!) {
  cancelBooking(input: { bookingId: $id }) { __typename }
}`;

/** How many mutations of a new user the routers admit until they refuse the others. */
export async function countAdmitted(client: RouterClient, user: string): Promise<number> {
  let admitted = 0;
  let sent = 0;
  const sendInTurn = async () => {
    while (sent < SENT) {
      sent += 1;
      try {
        await client.execute(user, CANCEL, { id: randomUUID() });
        admitted += 1;
      } catch (error) {
        // What a busy machine fails at later was admitted.
        if (!(error as Error).message.startsWith('RATE_LIMITED')) admitted += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendInTurn));
  return admitted;
}

/**
 * Tries new users until the routers together admit exactly the limit: on a busy machine Redis may respond too
 * late for a single count. Resolves with the last user's number.
 */
export async function countUntilExact(client: RouterClient, name: string): Promise<number> {
  let admitted = 0;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    admitted = await countAdmitted(client, `${name} ${attempt}`);
    if (admitted === MUTATIONS_PER_MINUTE) break;
  }
  return admitted;
}
