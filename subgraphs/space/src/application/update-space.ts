import type { InvalidSpace, SpaceChanged, SpaceNotFound } from '../domain/refusals.ts';
import type { Space } from '../domain/space.ts';
import { changeSpace, type SpaceChanges } from '../domain/space-changes.ts';
import type { SpacePorts } from '../ports.ts';
import { findHostRole, type SpacePrincipal } from './host-role.ts';

/**
 * Changes a space for its host or an operator, if it is still of the version that they saw. A change
 * that makes no difference writes and publishes nothing.
 */
export async function updateSpace(
  ports: SpacePorts,
  principal: SpacePrincipal,
  update: { spaceId: string; expectedVersion: number; changes: SpaceChanges },
): Promise<Space | InvalidSpace | SpaceNotFound | SpaceChanged> {
  const { spaceId, expectedVersion } = update;
  const space = await ports.spaces.find(spaceId);
  const role = space && findHostRole(space, principal);
  if (!space || !role) return NOT_FOUND;
  if (space.version !== expectedVersion) return toSpaceChanged(space);

  const next = changeSpace(space, update.changes, ports.newId);
  if ('type' in next) return next;
  if (next.changed.length === 0) return space;
  const by = { userId: principal.userId, role };
  if ((await ports.spaces.save(next.space, next.changed, by)) === 'stale') {
    const present = await ports.spaces.find(spaceId);
    return present ? toSpaceChanged(present) : NOT_FOUND;
  }
  ports.log('space changed', { spaceId, changed: next.changed, by: role });
  return next.space;
}

const NOT_FOUND: SpaceNotFound = { type: 'SpaceNotFound', message: 'There is no such space.' };

function toSpaceChanged(space: Space): SpaceChanged {
  const message = `The space has changed and is now of version ${space.version}: look at it, and repeat the change with that version.`;
  return { type: 'SpaceChanged', message, space };
}
