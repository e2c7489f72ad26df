import { forbidden, unauthenticated } from './errors.ts';

export type Role = 'customer' | 'host' | 'operator';

/** Who asks, as the router has checked it. */
export interface Viewer {
  userId: string;
  roles: readonly Role[];
}

/** The header by which the router tells a subgraph who asks. */
export const VIEWER_HEADER = 'x-spacerent-viewer';

/** The header's value: user ids may hold any letters, headers may not. */
export function writeViewer(viewer: Viewer): string {
  return encodeURIComponent(JSON.stringify(viewer));
}

/** Reads back what {@link writeViewer} wrote; null without a header. */
export function readViewer(header: string | string[] | undefined): Viewer | null {
  return typeof header === 'string' ? JSON.parse(decodeURIComponent(header)) : null;
}

/** The viewer, when there is one; throws UNAUTHENTICATED otherwise. */
export function signedIn(viewer: Viewer | null): Viewer {
  if (!viewer) throw unauthenticated();
  return viewer;
}

/** The viewer, when one of the roles (or `operator`) is theirs; throws FORBIDDEN otherwise. */
export function withRole(viewer: Viewer | null, role: Role): Viewer {
  const known = signedIn(viewer);
  if (known.roles.includes(role) || known.roles.includes('operator')) return known;
  throw forbidden(`This needs the role "${role}".`);
}
