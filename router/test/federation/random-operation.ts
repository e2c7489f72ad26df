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
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { ResponseNames } from './response-names.ts';

const MAX_DEPTH = 5;

/** What depends on the schema and on what the operations are for. */
export interface OperationOptions {
  kind?: 'query' | 'mutation';
  /** The largest number of fields of the root. */
  rootFields?: number;
  /** Literals and variables for arguments, by their types; the first one is never null. */
  values?: Record<string, readonly string[]>;
  /** The definitions of all variables. */
  variables?: readonly string[];
  /** Names of fields that are never selected. */
  leftOut?: ReadonlySet<string>;
  /**
   * 'unique': aliases that nothing else uses. 'clashing': aliases mostly have the names of other fields, and a
   * field may be selected twice under one name.
   */
  names?: 'unique' | 'clashing';
  /** Names that clashing aliases take. */
  clashing?: readonly string[];
  /** Whether conditions may leave nothing of a field. */
  leavesNothing?: boolean;
}

/** Values for arguments, by their types. */
const VALUES: Record<string, readonly string[]> = {
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

const OTHER_CONDITIONS = ['@include(if: false)', '@skip(if: $no) @include(if: $yes)'];

const VARIABLES = ['$yes: Boolean!', '$no: Boolean! = false', '$id: ID! = "u2"', '$n: Int = 2'];

/** Operations that the schema allows, most of them valid, with aliases, fragments and conditions. */
export function randomOperation(
  schema: GraphQLSchema,
  {
    kind = 'query',
    rootFields = 3,
    values: pools = VALUES,
    variables = VARIABLES,
    leftOut = LEFT_OUT,
    names = 'unique',
    clashing = [],
    leavesNothing = false,
  }: OperationOptions = {},
): fc.Arbitrary<string> {
  return fc.gen().map((gen) => {
    const chance = (one: number) => gen(fc.integer, { min: 1, max: one }) === 1;
    const pick = <T>(from: readonly T[]): T => {
      const [first] = from.slice(gen(fc.nat, { max: from.length - 1 }));
      return first as T;
    };
    const fragments: { on: GraphQLNamedType; text: string }[] = [];
    let aliases = 0;

    function selectionSet(type: GraphQLNamedType, depth: number, scope: ResponseNames): string {
      const count = gen(fc.integer, { min: 1, max: depth === 0 ? rootFields : 4 });
      const selections = Array.from({ length: count }, (_, at) =>
        selection(type, depth, scope, at === 0 && !leavesNothing),
      );
      return `{ ${selections.join(' ')} }`;
    }

    function selection(
      type: GraphQLNamedType,
      depth: number,
      scope: ResponseNames,
      isUnconditional: boolean,
    ): string {
      if (depth > 0 && depth < MAX_DEPTH && chance(4))
        return fragment(type, depth, scope, isUnconditional);
      if (chance(8)) {
        const { prefix } = nameFor('__typename', chance(4), scope);
        return `${prefix}__typename ${condition(isUnconditional)}`;
      }
      if (!isObjectType(type) && !isInterfaceType(type))
        return fragment(type, depth, scope, isUnconditional);
      const all = Object.values(type.getFields()).filter(({ name }) => !leftOut.has(name));
      const leaves = all.filter((field) => !isCompositeType(getNamedType(field.type)));
      const candidates = depth >= MAX_DEPTH ? leaves : all;
      return candidates.length === 0
        ? '__typename'
        : selectField(pick(candidates), depth, scope, isUnconditional);
    }

    function selectField(
      field: GraphQLField<unknown, unknown>,
      depth: number,
      scope: ResponseNames,
      isUnconditional: boolean,
    ): string {
      const type = getNamedType(field.type);
      const given = field.args.filter((argument) => isRequiredArgument(argument) || chance(2));
      const values = given.map((argument) => `${argument.name}: ${literalFor(argument)}`);
      const args = values.length > 0 ? `(${values.join(', ')})` : '';
      // With arguments or conditions under one name, most operations would not be valid.
      const { prefix, inner } = nameFor(`${field.name}${args}`, args !== '' || chance(5), scope);
      const set = isCompositeType(type) ? selectionSet(type, depth + 1, inner) : '';
      return `${prefix}${field.name}${args} ${condition(isUnconditional)} ${set}`;
    }

    function fragment(
      type: GraphQLNamedType,
      depth: number,
      scope: ResponseNames,
      isUnconditional: boolean,
    ): string {
      const on = pick(typesWithin(schema, type));
      const known = names === 'clashing' ? fragments.findLastIndex((each) => each.on === on) : -1;
      if (known >= 0 && chance(4)) return `...F${known} ${condition(isUnconditional)}`;
      const set = selectionSet(on, depth + 1, scope);
      if (chance(2)) return `... on ${on.name} ${condition(isUnconditional)} ${set}`;
      const name = `F${fragments.length}`;
      fragments.push({ on, text: `fragment ${name} on ${on.name} ${set}` });
      return `...${name} ${condition(isUnconditional)}`;
    }

    function literalFor(argument: GraphQLArgument): string {
      const pool = pools[getNamedType(argument.type).name] ?? ['null'];
      const value = pick(pool);
      return value === 'null' && isNonNullType(argument.type) ? (pool[0] as string) : value;
    }

    /** The alias of a field with its arguments, if it gets one, and the names in its own selections. */
    function nameFor(field: string, hasAlias: boolean, scope: ResponseNames) {
      if (names === 'unique') return { prefix: hasAlias ? `${alias()}: ` : '', inner: scope };
      const [own = field] = field.split('(');
      const wanted = chance(3) ? own : chance(6) ? alias() : pick(clashing);
      // A few are not valid; in fragments on different types they may be.
      const isFree = scope.allows(wanted, field) || chance(8);
      const name = isFree ? wanted : scope.allows(own, field) ? own : alias();
      return { prefix: name === own ? '' : `${name}: `, inner: scope.add(name, field) };
    }

    function alias(): string {
      aliases += 1;
      return `a${aliases}`;
    }

    /**
     * The first selection of a set has no condition where they must leave something of each field: a field
     * whose fields are all left out is null in the stock executor, instead of an object without fields.
     */
    const condition = (isUnconditional: boolean) =>
      !isUnconditional && chance(7)
        ? pick(leavesNothing ? [...CONDITIONS, ...OTHER_CONDITIONS] : CONDITIONS)
        : '';
    const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
    const set = selectionSet(root as GraphQLNamedType, 0, new ResponseNames());
    const text = [set, ...fragments.map(({ text }) => text)].join('\n');
    const used = variables.filter((variable) =>
      new RegExp(`\\${variable.slice(0, variable.indexOf(':'))}\\b`).test(text),
    );
    return `${kind} ${used.length > 0 ? `(${used.join(', ')})` : ''} ${text}`;
  });
}

/** Types on which a fragment may be written inside this one. */
function typesWithin(schema: GraphQLSchema, type: GraphQLNamedType): GraphQLNamedType[] {
  if (isAbstractType(type)) return [type, ...schema.getPossibleTypes(type)];
  return isObjectType(type) ? [type, ...type.getInterfaces()] : [type];
}
