import { type GraphQLScalarType, type GraphQLSchema, isScalarType } from 'graphql';

/**
 * Gives the schema's scalars, which a supergraph names without their rules, the rules for input of
 * the scalars of the same name. Returns the schema.
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
