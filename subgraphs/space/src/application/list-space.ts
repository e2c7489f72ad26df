import type { InvalidSpace } from '../domain/refusals.ts';
import { listSpace as newSpace, type Space, type SpaceListing } from '../domain/space.ts';
import type { Actor, SpacePorts } from '../ports.ts';

/** Puts a space into the catalogue; whoever lists it becomes its host. */
export async function listSpace(
  ports: SpacePorts,
  by: Actor,
  listing: SpaceListing,
): Promise<Space | InvalidSpace> {
  const hostId = by.userId;
  const space = newSpace(listing, { id: ports.newId(), hostId, now: ports.clock() });
  if ('type' in space) return space;
  await ports.spaces.list(space, by);
  ports.log('space listed', { spaceId: space.id, hostId });
  return space;
}
