import {
  type ConstDirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import type { InternalRequest } from '../auth/internal-requests.ts';
import { type Role, requirePrincipal, requireRole } from '../auth/principal.ts';
import { forbidden } from './errors.ts';

/** Who may read a field: the argument of the directive `@allow(to:)` in the schemas. */
export type Audience = 'ANYONE' | 'SIGNED_IN' | 'CUSTOMER' | 'HOST' | 'OPERATOR' | 'SERVICE';

const ROLES: Partial<Record<Audience, Role>> = {
  CUSTOMER: 'customer',
  HOST: 'host',
  OPERATOR: 'operator',
};

// Federation adds these to every subgraph: they only lead to fields with rules of their own.
const FEDERATION_FIELDS = ['_entities', '_service'];

/** Throws UNAUTHENTICATED or FORBIDDEN when the sender of the request is not in the audience. */
function requireAudience(audience: Audience, { service, principal }: InternalRequest): void {
  if (audience === 'ANYONE') return;
  if (audience === 'SERVICE') {
    if (service === 'router') throw forbidden('This is for services of the system alone.');
    return;
  }
  const role = ROLES[audience];
  if (role) requireRole(principal, role);
  else requirePrincipal(principal);
}

/**
 * Restricts each field of the schema to the audience of its `@allow`: the field's own, or its type's. Throws
 * when a root field or a field of an entity has no audience.
 */
export function withAccessRules(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const unrestricted: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isEntryPoint = roots.includes(type) || isEntity(type);
    for (const field of Object.values(type.getFields())) {
      if (FEDERATION_FIELDS.includes(field.name)) continue;
      const audience = findAudience(field, type);
      if (audience) restrict(field, audience);
      else if (isEntryPoint) unrestricted.push(`${type.name}.${field.name}`);
    }
  }
  if (unrestricted.length === 0) return schema;
  throw new Error(`the schema does not @allow anyone to use ${unrestricted.join(', ')}`);
}

function restrict(field: GraphQLField<unknown, InternalRequest>, audience: Audience): void {
  if (audience === 'ANYONE') return;
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (source, args, context, info) => {
    requireAudience(audience, context);
    return resolve(source, args, context, info);
  };
}

/** The audience of a field: its own, or its type's; undefined when there is none. */
function findAudience(
  field: GraphQLField<unknown, unknown>,
  type: GraphQLObjectType,
): Audience | undefined {
  const directives = [field.astNode, type.astNode, ...type.extensionASTNodes].flatMap(
    (node) => node?.directives ?? [],
  );
  const value = findDirective(directives, 'allow')?.arguments?.[0]?.value;
  return value?.kind === 'EnumValue' ? (value.value as Audience) : undefined;
}

function isEntity({ astNode, extensionASTNodes }: GraphQLObjectType): boolean {
  return [astNode, ...extensionASTNodes].some((node) =>
    findDirective(node?.directives ?? [], 'key'),
  );
}

function findDirective(directives: readonly ConstDirectiveNode[], name: string) {
  return directives.find((directive) => directive.name.value === name);
}
