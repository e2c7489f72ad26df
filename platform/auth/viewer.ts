import { unauthenticated } from '../graphql/errors.ts';

export const knownRoles = ['customer', 'host', 'operator'] as const;
export type Role = (typeof knownRoles)[number];

/** Who asks, as the router has checked it. */
export interface Viewer {
  userId: string;
  roles: readonly Role[];
}

/** The viewer, when there is one; throws UNAUTHENTICATED otherwise. */
export function signedIn(viewer: Viewer | null): Viewer {
  if (!viewer) throw unauthenticated();
  return viewer;
}
