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

/** A field that clients can begin with, with an operation that does. */
export interface Root {
  name: string;
  kind: 'query' | 'mutation' | 'subscription';
  audience: Audience;
  query: string;
  variables: Record<string, unknown>;
}

/** All that clients can begin with, each with its rule; throws when one has none. */
export function rootFields(): Root[] {
  const rules = new Map<string, Audience>();
  for (const context of contextNames) {
    for (const type of typesOf(context)) {
      for (const field of type.fields ?? []) {
        const audience = allowed(field.directives) ?? allowed(type.directives);
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
      if (!audience) throw new Error(`nothing says who may use ${type?.name}.${field.name}`);
      return { name: field.name, kind, audience, ...operationOf(kind, field) };
    }),
  );
}

/** A field of an entity, as the router asks a subgraph for it. */
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
    typesOf(context)
      .filter(({ directives }) =>
        directives?.some(
          (each) => each.name.value === 'key' && !/resolvable: false/.test(print(each)),
        ),
      )
      .flatMap((type) =>
        (type.fields ?? []).map((field) => {
          const audience = allowed(field.directives) ?? allowed(type.directives);
          const name = `${type.name.value}.${field.name.value}`;
          if (!audience) throw new Error(`nothing says who may use ${context}'s ${name}`);
          const needed = (field.arguments ?? []).map(({ name }) => `${name.value}: "${INSTANT}"`);
          const args = needed.length > 0 ? `(${needed.join(', ')})` : '';
          const isLeaf = /^(ID|Int|String|DateTime|BookingStatus)!?$/.test(print(field.type));
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

const NOBODYS = '01890000-0000-7000-8000-000000000000';
const INSTANT = '2031-01-01T00:00:00Z';

function typesOf(context: ContextName): ObjectTypeDefinitionNode[] {
  const { definitions } = parse(readFileSync(`subgraphs/${context}/schema.graphql`, 'utf8'));
  return definitions.filter((each) => each.kind === 'ObjectTypeDefinition');
}

function allowed(directives: readonly ConstDirectiveNode[] = []): Audience | undefined {
  const rule = directives.find(({ name }) => name.value === 'allow');
  const value = rule?.arguments?.[0]?.value;
  return value?.kind === 'EnumValue' ? (value.value as Audience) : undefined;
}

function operationOf(kind: Root['kind'], field: GraphQLField<unknown, unknown>) {
  const needed = field.args.filter(({ type }) => isNonNullType(type));
  const definitions = needed.map(({ name, type }) => `$${name}: ${type}`).join(', ');
  const args = needed.map(({ name }) => `${name}: $${name}`).join(', ');
  const selection = isCompositeType(getNamedType(field.type)) ? '{ __typename }' : '';
  return {
    query: `${kind} ${definitions && `(${definitions})`} { ${field.name}${args && `(${args})`} ${selection} }`,
    variables: Object.fromEntries(needed.map(({ name, type }) => [name, exampleOf(type)])),
  };
}

/** Something valid of the type. */
function exampleOf(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return exampleOf(type.ofType);
  if (isListType(type)) return [exampleOf(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(fields.map(({ name, type }) => [name, exampleOf(type)]));
  }
  if (!isScalarType(type)) throw new Error(`no value of ${type}`);
  const values: Record<string, unknown> = { ID: NOBODYS, Int: 1, Boolean: true, DateTime: INSTANT };
  return values[type.name] ?? 'something';
}
