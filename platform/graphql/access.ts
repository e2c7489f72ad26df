import {
  type ConstDirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import type { Caller } from '../auth/internal-tokens.ts';
import { type Role, signedIn } from '../auth/viewer.ts';
import { forbidden } from './errors.ts';

/** Whom a field is for, as the directive `@allow(to:)` says it in the schemas. */
export type Audience = 'ANYONE' | 'SIGNED_IN' | 'CUSTOMER' | 'HOST' | 'OPERATOR' | 'SERVICE';

const ROLES: Partial<Record<Audience, Role>> = {
  CUSTOMER: 'customer',
  HOST: 'host',
  OPERATOR: 'operator',
};

// What federation adds to every subgraph: it only leads to fields with rules of their own.
const FOR_THE_ROUTER = ['_entities', '_service'];

/** Throws UNAUTHENTICATED or FORBIDDEN when the caller is not among those whom the field is for. */
function admit(audience: Audience, { service, viewer }: Caller): void {
  if (audience === 'ANYONE') return;
  if (audience === 'SERVICE') {
    if (service === 'router') throw forbidden('This is for services of the system alone.');
    return;
  }
  const { roles } = signedIn(viewer);
  const role = ROLES[audience];
  if (!role || roles.includes(role) || roles.includes('operator')) return;
  throw forbidden(`This needs the role "${role}".`);
}

/**
 * Makes the schema's fields answer those alone whom their `@allow` names: the field's own, or its
 * type's. Throws when a way into the graph, a root field or a field of an entity, has none.
 */
export function withAccessRules(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const forgotten: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isWayIn = roots.includes(type) || isEntity(type);
    for (const field of Object.values(type.getFields())) {
      if (FOR_THE_ROUTER.includes(field.name)) continue;
      const audience = audienceOf(field, type);
      if (audience) guard(field, audience);
      else if (isWayIn) forgotten.push(`${type.name}.${field.name}`);
    }
  }
  if (forgotten.length === 0) return schema;
  throw new Error(`the schema does not @allow anyone to use ${forgotten.join(', ')}`);
}

function guard(field: GraphQLField<unknown, Caller>, audience: Audience): void {
  if (audience === 'ANYONE') return;
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (source, args, context, info) => {
    admit(audience, context);
    return resolve(source, args, context, info);
  };
}

/** The rule of a field: its own, or its type's; undefined when nothing is said. */
function audienceOf(
  field: GraphQLField<unknown, unknown>,
  type: GraphQLObjectType,
): Audience | undefined {
  const directives = [field.astNode, type.astNode, ...type.extensionASTNodes].flatMap(
    (node) => node?.directives ?? [],
  );
  const value = named(directives, 'allow')?.arguments?.[0]?.value;
  return value?.kind === 'EnumValue' ? (value.value as Audience) : undefined;
}

function isEntity({ astNode, extensionASTNodes }: GraphQLObjectType): boolean {
  return [astNode, ...extensionASTNodes].some((node) => named(node?.directives ?? [], 'key'));
}

function named(directives: readonly ConstDirectiveNode[], name: string) {
  return directives.find((directive) => directive.name.value === name);
}
