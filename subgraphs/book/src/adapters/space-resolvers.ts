import { badInput } from '#platform/graphql/errors.ts';
import { findListedSpace } from '../application/find-listed-space.ts';
import { findFreeSlots } from '../application/free-slots.ts';
import type { BookPorts } from '../ports.ts';

const MAX_RANGE_MS = 31 * 24 * 3_600_000;

/** The fields that book adds to a space. */
export function spaceFields(ports: BookPorts) {
  return {
    __resolveReference: ({ id }: { id: string }) => ({ id }),
    async freeSlots({ id }: { id: string }, { from, to }: { from: Date; to: Date }) {
      if (to <= from) throw badInput('to', 'to must come after from.');
      if (to.getTime() - from.getTime() > MAX_RANGE_MS) {
        throw badInput('to', 'freeSlots covers at most 31 days: move `to` closer to `from`.');
      }
      const space = await findListedSpace(ports, id);
      return space && findFreeSlots(ports, space, from, to);
    },
  };
}
