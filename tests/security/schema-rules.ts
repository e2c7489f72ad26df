import { readFileSync } from 'node:fs';
import { Supergraph } from '@apollo/federation-internals';
import {
  type ConstDirectiveNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  isScalarType,
  type ObjectTypeDefinitionNode,
  parse,
  print,
} from 'graphql';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import type { Audience } from '#platform/graphql/access.ts';

/** A root field, with an operation that selects it. */
export interface Root {
  name: string;
  kind: 'query' | 'mutation' | 'subscription';
  audience: Audience;
  query: string;
  variables: Record<string, unknown>;
}

/** All root fields of the public schema, each with its access rule; throws if one has none. */
export function rootFields(): Root[] {
  const rules = new Map<string, Audience>();
  for (const context of contextNames) {
    for (const type of readTypes(context)) {
      for (const field of type.fields ?? []) {
        const audience = findAudience(field.directives) ?? findAudience(type.directives);
        if (audience) rules.set(`${type.name.value}.${field.name.value}`, audience);
      }
    }
  }
  const supergraph = readFileSync('router/supergraph.graphql', 'utf8');
  const schema = Supergraph.build(supergraph).apiSchema().toGraphQLJSSchema();
  const roots: [Root['kind'], GraphQLObjectType | null | undefined][] = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ];
  return roots.flatMap(([kind, type]) =>
    Object.values(type?.getFields() ?? {}).map((field) => {
      const audience = rules.get(`${type?.name}.${field.name}`);
      if (!audience) throw new Error(`no access rule for ${type?.name}.${field.name}`);
      return { name: field.name, kind, audience, ...buildOperation(kind, field) };
    }),
  );
}

/** A field of an entity, with the query that the router sends to a subgraph for it. */
export interface EntityField {
  context: ContextName;
  type: string;
  field: string;
  audience: Audience;
  query: string;
}

/** The fields of all entities that subgraphs resolve by their id. */
export function entityFields(): EntityField[] {
  return contextNames.flatMap((context) =>
    readTypes(context)
      .filter(({ directives }) =>
        directives?.some(
          (each) => each.name.value === 'key' && !/resolvable: false/.test(print(each)),
        ),
      )
      .flatMap((type) =>
        (type.fields ?? []).map((field) => {
          const audience = findAudience(field.directives) ?? findAudience(type.directives);
          const name = `${type.name.value}.${field.name.value}`;
          if (!audience) throw new Error(`no access rule for ${name} of ${context}`);
          const needed = (field.arguments ?? [])
            .filter(({ type, defaultValue }) => type.kind === 'NonNullType' && !defaultValue)
            .map(({ name, type }) => `${name.value}: ${exampleArgument(print(type))}`);
          const args = needed.length > 0 ? `(${needed.join(', ')})` : '';
          const isLeaf =
            /^\[?(ID|Int|String|DateTime|BookingStatus|SpaceState|BookingMode)!?\]?!?$/.test(
              print(field.type),
            );
          const selection = `${field.name.value}${args}${isLeaf ? '' : ' { __typename }'}`;
          return {
            context,
            type: type.name.value,
            field: field.name.value,
            audience,
            query: `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ${type.name.value} { ${selection} } } }`,
          };
        }),
      ),
  );
}

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';
const INSTANT = '2031-01-01T00:00:00Z';
const LATER = '2031-01-01T01:00:00Z';

/** A valid value of a required argument, as GraphQL writes it. */
function exampleArgument(type: string): string {
  const values: Record<string, string> = {
    'DateTime!': `"${INSTANT}"`,
    'TimeSlotInput!': `{ startAt: "${INSTANT}", endAt: "${LATER}" }`,
  };
  const value = values[type];
  if (value === undefined) throw new Error(`no value of ${type}`);
  return value;
}

function readTypes(context: ContextName): ObjectTypeDefinitionNode[] {
  const { definitions } = parse(readFileSync(`subgraphs/${context}/schema.graphql`, 'utf8'));
  return definitions.filter((each) => each.kind === 'ObjectTypeDefinition');
}

function findAudience(directives: readonly ConstDirectiveNode[] = []): Audience | undefined {
  const rule = directives.find(({ name }) => name.value === 'allow');
  const value = rule?.arguments?.[0]?.value;
  return value?.kind === 'EnumValue' ? (value.value as Audience) : undefined;
}

function buildOperation(kind: Root['kind'], field: GraphQLField<unknown, unknown>) {
  const needed = field.args.filter(({ type }) => isNonNullType(type));
  const definitions = needed.map(({ name, type }) => `$${name}: ${type}`).join(', ');
  const args = needed.map(({ name }) => `${name}: $${name}`).join(', ');
  const selection = isCompositeType(getNamedType(field.type)) ? '{ __typename }' : '';
  return {
    query: `${kind} ${definitions && `(${definitions})`} { ${field.name}${args && `(${args})`} ${selection} }`,
    variables: Object.fromEntries(needed.map(({ name, type }) => [name, exampleValue(type)])),
  };
}

/** A valid value of the type. */
function exampleValue(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return exampleValue(type.ofType);
  if (isListType(type)) return [exampleValue(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(fields.map(({ name, type }) => [name, exampleValue(type)]));
  }
  if (!isScalarType(type)) throw new Error(`no value of ${type}`);
  const values: Record<string, unknown> = {
    ID: UNKNOWN_ID,
    Int: 1,
    Boolean: true,
    DateTime: INSTANT,
    Date: INSTANT.slice(0, 10),
  };
  return values[type.name] ?? 'something';
}
