import { type GraphQLScalarType, type GraphQLSchema, isScalarType } from 'graphql';

/**
 * Adds rules for input to the schema's scalars, by name, because a supergraph has none. Returns the schema.
 */
export function withScalarRules(
  schema: GraphQLSchema,
  scalars: readonly GraphQLScalarType[],
): GraphQLSchema {
  for (const { name, parseValue, parseLiteral } of scalars) {
    const type = schema.getType(name);
    if (isScalarType(type)) Object.assign(type, { parseValue, parseLiteral });
  }
  return schema;
}
