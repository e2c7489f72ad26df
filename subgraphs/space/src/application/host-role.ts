import type { Space } from '../domain/space.ts';
import type { ActingPrincipal } from '../ports.ts';

/** A principal as far as its role for a space depends on it. */
export interface SpacePrincipal {
  userId: string;
  isHost: boolean;
  isOperator: boolean;
}

/** The principal's role for the space; null: none. */
export function findHostRole(
  space: Space,
  { userId, isHost, isOperator }: SpacePrincipal,
): ActingPrincipal['role'] | null {
  if (space.hostId === userId && isHost) return 'host';
  return isOperator ? 'operator' : null;
}
