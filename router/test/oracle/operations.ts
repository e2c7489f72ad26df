import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { type OperationOptions, randomOperation } from '../federation/random-operation.ts';
import type { Request } from './oracle.ts';

const ID = ['"p1"', '"u1"', '"r1"', '"p3"', '"u2"', '"p5"', '"nobody"', '$id', '$representations'];

const options: OperationOptions = {
  names: 'clashing',
  leavesNothing: true,
  leftOut: new Set(),
  // Keys, what fields require, and a few that are nothing of the kind.
  clashing: [
    ...['__typename', 'sku', 'ean', 'id', 'email', 'org', 'number', 'country', 'code'],
    ...['price', 'kind', 'size', 'width', 'height', 'lots', 'pieces', 'value', 'weight', 'packing'],
    ...['depth', 'corners', 'x', 'maker', 'title', 'name', 'grid', 'toll', 'volume', 'postage'],
    ...['stamps', 'items', 'me', 'author', 'constructor', '__proto__', 'toString'],
  ],
  values: {
    ID,
    Int: ['1', '0', '2', 'null', '$n'],
    String: ['"KR"', '"w-1"', '"x"', 'null', '$text'],
    Kind: ['PLAIN', 'FRAGILE', '$kind'],
    Unit: ['KG', 'LB', 'G', '$unit'],
    PersonFilter: ['{country: "KR"}', '{ages: {to: 22}}', '{ages: null}', '{country: $text}', '{}'],
  },
  variables: [
    '$yes: Boolean!',
    '$no: Boolean! = false',
    '$id: ID! = "u2"',
    '$representations: ID! = "p2"',
    '$n: Int = 2',
    '$text: String! = "FR"',
    '$kind: Kind = HEAVY',
    '$unit: Unit! = LB',
  ],
};

/** Values of variables; the defaults are used where one is left out. */
const values = fc.record(
  {
    yes: fc.boolean(),
    no: fc.boolean(),
    id: fc.constantFrom('u1', 'u4', 'p2', 'p4'),
    representations: fc.constantFrom('p1', 'u3'),
    n: fc.constantFrom(1, 3, null),
    kind: fc.constantFrom('PLAIN', null),
    unit: fc.constantFrom('G', 'KG'),
  },
  { requiredKeys: ['yes'] },
);

/** Operations, most of them valid, whose aliases mostly have the names of other fields. */
export function randomRequest(
  schema: GraphQLSchema,
  kind: 'query' | 'mutation' = 'query',
): fc.Arbitrary<Request> {
  return fc.record({
    // Plans execute mutations of one subgraph together before they fetch what their results need of others.
    query: randomOperation(schema, { ...options, kind, rootFields: kind === 'mutation' ? 1 : 3 }),
    variables: values,
  });
}

/** A few mutations, to be executed one after another. */
export function randomMutations(schema: GraphQLSchema): fc.Arbitrary<Request[]> {
  return fc.array(randomRequest(schema, 'mutation'), { minLength: 1, maxLength: 3 });
}
