import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

const MAX_DEPTH = 5;

/** Values for arguments, by their types. */
const POOLS: Record<string, readonly string[]> = {
  ID: ['"u1"', '"u2"', '"u4"', '"p1"', '"p4"', '"nobody"', '$id'],
  Int: ['0', '1', '2', 'null', '$n'],
  String: ['"short"', '"x"', 'null'],
  Tone: ['PLAIN', 'LOUD'],
  JSON: ['{a: [1, null]}', '"text"', 'null'],
  UserFilter: ['{active: true}', '{ids: ["u1", null, "u3", "u1"]}', '{born: {to: 1972}}', '{}'],
};

/** What the stock executor merges wrongly: lists of lists to which two subgraphs contribute. */
const LEFT_OUT = new Set(['cover']);

const CONDITIONS = [
  '@include(if: $yes)',
  '@include(if: $no)',
  '@skip(if: $yes)',
  '@skip(if: $no)',
  '@include(if: true)',
  '@skip(if: true)',
];

const VARIABLES = ['$yes: Boolean!', '$no: Boolean! = false', '$id: ID! = "u2"', '$n: Int = 2'];

/** Operations that the schema allows, most of them valid, with aliases, fragments and conditions. */
export function randomOperation(
  schema: GraphQLSchema,
  kind: 'query' | 'mutation' = 'query',
): fc.Arbitrary<string> {
  return fc.gen().map((gen) => {
    const chance = (one: number) => gen(fc.integer, { min: 1, max: one }) === 1;
    const pick = <T>(from: readonly T[]): T => {
      const [first] = from.slice(gen(fc.nat, { max: from.length - 1 }));
      return first as T;
    };
    const fragments: string[] = [];
    let aliases = 0;

    function selectionSet(type: GraphQLNamedType, depth: number): string {
      const count = gen(fc.integer, { min: 1, max: depth === 0 ? 3 : 4 });
      const selections = Array.from({ length: count }, (_, at) => selection(type, depth, at === 0));
      return `{ ${selections.join(' ')} }`;
    }

    function selection(type: GraphQLNamedType, depth: number, isUnconditional: boolean): string {
      if (depth > 0 && depth < MAX_DEPTH && chance(4))
        return fragment(type, depth, isUnconditional);
      if (chance(8)) return `${alias()}__typename ${condition(isUnconditional)}`;
      if (!isObjectType(type) && !isInterfaceType(type))
        return fragment(type, depth, isUnconditional);
      const all = Object.values(type.getFields()).filter(({ name }) => !LEFT_OUT.has(name));
      const leaves = all.filter((field) => !isCompositeType(getNamedType(field.type)));
      const candidates = depth >= MAX_DEPTH ? leaves : all;
      return candidates.length === 0
        ? '__typename'
        : selectField(pick(candidates), depth, isUnconditional);
    }

    function selectField(
      field: GraphQLField<unknown, unknown>,
      depth: number,
      isUnconditional: boolean,
    ): string {
      const type = getNamedType(field.type);
      const given = field.args.filter((argument) => isRequiredArgument(argument) || chance(2));
      const values = given.map((argument) => `${argument.name}: ${literalFor(argument)}`);
      const args = values.length > 0 ? `(${values.join(', ')})` : '';
      // With arguments or conditions under one name, most operations would not be valid.
      const name = `${args || chance(5) ? alias(true) : ''}${field.name}`;
      const set = isCompositeType(type) ? selectionSet(type, depth + 1) : '';
      return `${name}${args} ${condition(isUnconditional)} ${set}`;
    }

    function fragment(type: GraphQLNamedType, depth: number, isUnconditional: boolean): string {
      const on = pick(typesWithin(schema, type));
      const set = selectionSet(on, depth + 1);
      if (chance(2)) return `... on ${on.name} ${condition(isUnconditional)} ${set}`;
      const name = `F${fragments.length}`;
      fragments.push(`fragment ${name} on ${on.name} ${set}`);
      return `...${name} ${condition(isUnconditional)}`;
    }

    function literalFor(argument: GraphQLArgument): string {
      const pool = POOLS[getNamedType(argument.type).name] ?? ['null'];
      const value = pick(pool);
      return value === 'null' && isRequiredArgument(argument) ? (pool[0] as string) : value;
    }

    function alias(always = false): string {
      if (!always && !chance(4)) return '';
      aliases += 1;
      return `a${aliases}: `;
    }

    /**
     * The first selection of a set has no condition: a field whose fields are all left out is null in the
     * stock executor, instead of an object without fields.
     */
    const condition = (isUnconditional: boolean) =>
      !isUnconditional && chance(7) ? pick(CONDITIONS) : '';
    const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
    const set = selectionSet(root as GraphQLNamedType, 0);
    const text = [set, ...fragments].join('\n');
    const used = VARIABLES.filter((variable) =>
      text.includes(variable.slice(0, variable.indexOf(':'))),
    );
    return `${kind} ${used.length > 0 ? `(${used.join(', ')})` : ''} ${text}`;
  });
}

/** Types on which a fragment may be written inside this one. */
function typesWithin(schema: GraphQLSchema, type: GraphQLNamedType): GraphQLNamedType[] {
  if (isAbstractType(type)) return [type, ...schema.getPossibleTypes(type)];
  return isObjectType(type) ? [type, ...type.getInterfaces()] : [type];
}
