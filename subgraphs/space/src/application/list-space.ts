import { defaultTerms } from '#contracts/space.ts';
import type { InvalidSpace } from '../domain/refusals.ts';
import type { Space } from '../domain/space.ts';
import { createSpace, type SpaceListing } from '../domain/space-listing.ts';
import type { ActingPrincipal, SpacePorts } from '../ports.ts';

/** Puts a space into the catalogue; the principal becomes its host. */
export async function listSpace(
  ports: SpacePorts,
  by: ActingPrincipal,
  listing: SpaceListing,
): Promise<Space | InvalidSpace> {
  const hostId = by.userId;
  const space = createSpace(listing, {
    id: ports.newId(),
    hostId,
    now: ports.clock(),
    terms: defaultTerms(listing.capacity),
    newId: ports.newId,
  });
  if ('type' in space) return space;
  await ports.spaces.list(space, by);
  ports.log('space listed', { spaceId: space.id, hostId });
  return space;
}
