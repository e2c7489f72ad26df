import { forbidden, unauthenticated } from '../graphql/errors.ts';

export const knownRoles = ['customer', 'host', 'operator'] as const;
export type Role = (typeof knownRoles)[number];

/** The signed-in user of a request, as the router has checked it. */
export interface Principal {
  userId: string;
  roles: readonly Role[];
}

/** The user of a request; throws UNAUTHENTICATED when it is anonymous. */
export function requirePrincipal(principal: Principal | null): Principal {
  if (!principal) throw unauthenticated();
  return principal;
}

/** The user of a request; throws UNAUTHENTICATED, or FORBIDDEN without the role, unless it is an operator. */
export function requireRole(principal: Principal | null, role: Role): Principal {
  const user = requirePrincipal(principal);
  if (user.roles.includes(role) || user.roles.includes('operator')) return user;
  throw forbidden(`This needs the role "${role}".`);
}
