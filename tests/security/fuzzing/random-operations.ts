import type fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import {
  anything,
  evenly,
  isOneIn,
  type KnownIds,
  pick,
  randomValue,
  UNUSUAL_RATES,
  UNUSUAL_TEXTS,
} from './random-values.ts';

export interface RandomOperation {
  query: string;
  variables: Record<string, unknown>;
}

const MAX_DEPTH = 5;
/** Fields that clients use most, and those that write. */
const FAVOURITES = [
  'requestBooking',
  'requestBooking',
  'listSpace',
  'cancelBooking',
  'spaces',
  'myPage',
];
/** Takes long and is for operators only, so it is selected rarely. */
const RARE = 'rebuildMyPage';
const KINDS = ['query', 'query', 'mutation', 'mutation', 'subscription'] as const;
const CONDITIONS = [
  '@include(if: true)',
  '@skip(if: false)',
  '@include(if: false)',
  '@skip(if: true)',
];

/** An operation by the schema, with aliases, fragments, conditions, literals and variables. */
export function randomOperation(
  gen: fc.GeneratorValue,
  schema: GraphQLSchema,
  things: KnownIds,
): RandomOperation {
  const chance = (one: number) => isOneIn(gen, one);
  const unusual = pick(gen, UNUSUAL_RATES);
  // Most of these hours are not booked yet.
  const known = { ...things, hour: things.hour + gen(evenly, 20_000) * 3_600_000 };
  const kind = pick(gen, KINDS);
  const enums = enumNames(schema);
  const fragments: string[] = [];
  const declared: string[] = [];
  const variables: Record<string, unknown> = {};
  let aliases = 0;

  function selectionSet(type: GraphQLNamedType, depth: number): string {
    const count = depth === 0 ? 1 + Number(chance(4)) : 1 + gen(evenly, 3);
    return `{ ${Array.from({ length: count }, () => selection(type, depth)).join(' ')} }`;
  }

  function selection(type: GraphQLNamedType, depth: number): string {
    if (depth > 0 && depth < MAX_DEPTH && chance(5)) return fragment(type, depth);
    if (chance(12)) return '__typename';
    if (!isObjectType(type) && !isInterfaceType(type)) return fragment(type, depth);
    const all = Object.values(type.getFields());
    const leaves = all.filter((field) => !isCompositeType(getNamedType(field.type)));
    const candidates = depth >= MAX_DEPTH ? leaves : depth === 0 ? withFavourites(all) : all;
    return candidates.length === 0 ? '__typename' : selectField(pick(gen, candidates), depth);
  }

  function selectField(field: GraphQLField<unknown, unknown>, depth: number): string {
    const type = getNamedType(field.type);
    const given = field.args.filter((argument) => isRequiredArgument(argument) || chance(2));
    const values = given.map((argument) => `${argument.name}: ${argumentText(argument)}`);
    const args = values.length > 0 ? `(${values.join(', ')})` : '';
    aliases += 1;
    const name = `${args || chance(6) ? `a${aliases}: ` : ''}${field.name}`;
    const condition = chance(12) ? pick(gen, CONDITIONS) : '';
    return `${name}${args} ${condition} ${isCompositeType(type) ? selectionSet(type, depth + 1) : ''}`;
  }

  function fragment(type: GraphQLNamedType, depth: number): string {
    const on = isAbstractType(type) ? pick(gen, [type, ...schema.getPossibleTypes(type)]) : type;
    const set = selectionSet(on, depth + 1);
    if (chance(2)) return `... on ${on.name} ${set}`;
    const name = `F${fragments.length}`;
    fragments.push(`fragment ${name} on ${on.name} ${set}`);
    return `...${name}`;
  }

  function argumentText(argument: GraphQLArgument): string {
    const value = randomValue(gen, argument.type, known, unusual, argument.name);
    if (chance(3)) return literal(value, enums);
    const name = `v${declared.length}`;
    declared.push(`$${name}: ${argument.type}`);
    if (!chance(unusual * 2)) variables[name] = value;
    return `$${name}`;
  }

  const root = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[kind];
  const set = selectionSet(root as GraphQLNamedType, 0);
  if (chance(unusual)) variables[pick(gen, UNUSUAL_TEXTS)] = anything(gen);
  const head = declared.length > 0 ? `(${declared.join(', ')})` : '';
  return { query: [`${kind} Op${head} ${set}`, ...fragments].join('\n'), variables };
}

function withFavourites(
  fields: GraphQLField<unknown, unknown>[],
): GraphQLField<unknown, unknown>[] {
  const more = FAVOURITES.flatMap((name) => fields.filter((field) => field.name === name));
  return [...fields, ...more, ...more, ...fields, ...more].filter(
    ({ name }, index) => name !== RARE || index < fields.length,
  );
}

/** The same text with a few random mistakes. */
export function garbled(gen: fc.GeneratorValue, text: string): string {
  let result = text;
  const times = 1 + gen(evenly, 3);
  for (let n = 0; n < times; n += 1) {
    const at = gen(evenly, Math.max(0, result.length - 1));
    const to = at + 1 + gen(evenly, 11);
    const part = result.slice(at, to);
    const rest = [result.slice(0, at), result.slice(to)] as const;
    const inserted = [
      '',
      part + part,
      [...part].reverse().join(''),
      part.repeat(40),
      pick(gen, UNUSUAL_TEXTS),
      '{'.repeat(600),
      `x${'y'.repeat(3_000)}`,
      '"""',
      '\u202e',
      '@a',
      '...',
      '$__proto__',
      '-',
      '1e9999',
    ];
    result = rest.join(pick(gen, inserted));
  }
  return result;
}

function literal(value: unknown, enums: ReadonlySet<string>): string {
  if (typeof value === 'string') return enums.has(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, enums)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, each]) => `${name}: ${literal(each, enums)}`);
  return `{${fields.join(', ')}}`;
}

const enumNames = (schema: GraphQLSchema) =>
  new Set(
    Object.values(schema.getTypeMap())
      .filter(isEnumType)
      .flatMap((type) => type.getValues().map(({ name }) => name)),
  );
