import type { InvalidSpace } from '../domain/refusals.ts';
import { listSpace as newSpace, type Space, type SpaceListing } from '../domain/space.ts';
import type { SpacePorts } from '../ports.ts';

/** Puts a space into the catalogue; `hostId` becomes its host. */
export async function listSpace(
  ports: SpacePorts,
  hostId: string,
  listing: SpaceListing,
): Promise<Space | InvalidSpace> {
  const space = newSpace(listing, { id: ports.newId(), hostId, now: ports.clock() });
  if ('type' in space) return space;
  await ports.spaces.list(space);
  ports.log('space listed', { spaceId: space.id, hostId });
  return space;
}
