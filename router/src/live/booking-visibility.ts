import { type ExecutionResult, parse } from 'graphql';
import type { Principal } from '#platform/auth/principal.ts';
import type { Executor } from '../executor/executor.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';

const BOOKING = parse('query BookingVisibility($id: ID!) { booking(id: $id) { id } }');

/**
 * Whether book has the booking and shows it to the principal, which mypage may not know yet. Undefined: book
 * does not respond.
 */
export type IsBookingVisible = (
  bookingId: string,
  principal: Principal,
) => Promise<boolean | undefined>;

export function bookingVisibility(executor: Executor<RouterContext>): IsBookingVisible {
  return async (bookingId, principal) => {
    const prepared = executor.prepare(BOOKING);
    if ('errors' in prepared) throw prepared.errors[0];
    const { data, errors }: ExecutionResult = await executor.execute(prepared, {
      variables: { id: bookingId },
      context: { principal },
    });
    return errors ? undefined : Boolean(data?.booking);
  };
}
