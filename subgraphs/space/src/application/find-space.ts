import type { Space } from '../domain/space.ts';
import type { SpacePorts } from '../ports.ts';
import { findHostRole, type SpacePrincipal } from './host-role.ts';

/** A space as the principal may see it by its id: an archived one only as its host or an operator. */
export async function findSpace(
  ports: SpacePorts,
  principal: SpacePrincipal | null,
  id: string,
): Promise<Space | null> {
  const space = await ports.spaces.find(id);
  if (space?.state !== 'ARCHIVED') return space;
  return principal && findHostRole(space, principal) ? space : null;
}
