import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { type KnownIds, UNUSUAL_VALUES } from './random-values.ts';

export interface UnusualOperation {
  /** The argument and its value. */
  name: string;
  query: string;
  variables: Record<string, unknown>;
}

/**
 * One operation for each unusual value of each argument of the public schema, also inside of input
 * objects. All other arguments are valid.
 */
export function* unusualOperations(
  schema: GraphQLSchema,
  known: KnownIds,
): Generator<UnusualOperation> {
  const seen = new Set<string>();
  for (const [kind, root] of [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
  ] as const) {
    for (const { path, field } of fieldsWithArguments(root as GraphQLObjectType)) {
      // A rebuild takes long, and its one argument is a Boolean.
      if (field.name === 'rebuildMyPage') continue;
      yield* operationsFor(kind, [...path, field], known, seen);
    }
  }
}

type Field = GraphQLField<unknown, unknown>;

function* fieldsWithArguments(
  type: GraphQLObjectType,
  path: Field[] = [],
): Generator<{ path: Field[]; field: Field }> {
  for (const field of Object.values(type.getFields())) {
    if (field.args.length > 0) yield { path, field };
    const next = getNamedType(field.type);
    if (path.length < 3 && isObjectType(next)) yield* fieldsWithArguments(next, [...path, field]);
  }
}

function* operationsFor(
  kind: string,
  path: Field[],
  known: KnownIds,
  seen: Set<string>,
): Generator<UnusualOperation> {
  const last = path.at(-1) as Field;
  const given = (field: Field) =>
    field.args.filter((each) => field === last || isRequiredArgument(each));
  const valid: Record<string, unknown> = {};
  const declared: string[] = [];
  const calls = path.map((field, depth) => {
    const args = given(field).map((each) => {
      const variable = `v${depth}_${each.name}`;
      declared.push(`$${variable}: ${each.type}`);
      valid[variable] = validValue(
        each.type,
        known,
        field.name === 'space' ? 'spaceId' : each.name,
      );
      return `${each.name}: $${variable}`;
    });
    return `${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}`;
  });
  const head = declared.length > 0 ? `(${declared.join(', ')})` : '';
  const query = `${kind} Op${head} { ${calls.join(' { ')} ${selectLeaves(last)} ${'}'.repeat(path.length)}`;
  for (const each of last.args) {
    const variable = `v${path.length - 1}_${each.name}`;
    for (const [name, value] of unusualValues(each.type, valid[variable], each.name, seen)) {
      yield {
        name: `${path.map((field) => field.name).join('.')}(${name})`,
        query,
        variables: { ...structuredClone(valid), [variable]: value },
      };
    }
  }
}

/**
 * The value, with one part of it replaced by each unusual value in turn. Objects in lists are replaced for
 * the first operation that has their type: `seen` collects the types.
 */
function* unusualValues(
  type: GraphQLInputType,
  valid: unknown,
  name: string,
  seen: Set<string>,
): Generator<[name: string, value: unknown]> {
  const inner = getNullableType(type);
  for (const value of UNUSUAL_VALUES)
    yield [`${name}: ${JSON.stringify(value)?.slice(0, 60)}`, value];
  if (isListType(inner)) {
    const [first] = valid as unknown[];
    const item = getNamedType(inner.ofType);
    if (isInputObjectType(item)) {
      if (seen.has(item.name)) return;
      seen.add(item.name);
    }
    for (const [at, value] of unusualValues(inner.ofType, first, `${name}[0]`, seen)) {
      yield [at, [value]];
    }
  }
  if (!isInputObjectType(inner) || isEnumType(inner)) return;
  for (const field of Object.values(inner.getFields())) {
    const whole = valid as Record<string, unknown>;
    for (const [at, value] of unusualValues(
      field.type,
      whole[field.name],
      `${name}.${field.name}`,
      seen,
    )) {
      yield [at, { ...whole, [field.name]: value }];
    }
  }
}

const HOUR = 3_600_000;

/** A valid value. */
function validValue(type: GraphQLInputType, known: KnownIds, name: string): unknown {
  const inner = getNullableType(type);
  if (isListType(inner)) return [validValue(inner.ofType, known, name)];
  if (isInputObjectType(inner)) {
    const fields = Object.values(inner.getFields());
    return Object.fromEntries(
      fields.map((field) => [field.name, validValue(field.type, known, field.name)]),
    );
  }
  if (isEnumType(inner)) return inner.getValues()[0]?.name;
  const day = new Date(known.hour).toISOString().slice(0, 10);
  if (inner.name === 'Date') return day;
  if (inner.name === 'String' && (name === 'from' || name === 'to')) {
    return name === 'from' ? '09:00' : '18:00';
  }
  const given: Record<string, unknown> = {
    after: null,
    closes: '18:00',
    endAt: new Date(known.hour + HOUR).toISOString(),
    holidayCountry: 'KR',
    id: known.bookingId,
    idempotencyKey: known.user,
    opens: '09:00',
    paymentMethod: 'pm_ok',
    spaceId: known.spaceId,
    timeZone: 'Asia/Seoul',
    to: new Date(known.hour + HOUR).toISOString(),
    url: 'https://photos.example/1.jpg',
  };
  if (Object.hasOwn(given, name)) return given[name];
  const usual = { Boolean: true, Int: 1, DateTime: new Date(known.hour).toISOString() };
  if (Object.hasOwn(usual, inner.name)) return usual[inner.name as keyof typeof usual];
  return inner.name === 'ID' ? known.bookingId : 'name';
}

/** Selects all leaves, so that a value which cannot be serialised fails. */
function selectLeaves(field: Field): string {
  const type = getNamedType(field.type);
  if (isLeafType(type)) return '';
  if (!isObjectType(type)) return '{ __typename ... on Problem { message } }';
  const fields = Object.values(type.getFields());
  const leaves = fields
    .filter((each) => isLeafType(getNamedType(each.type)))
    .map(({ name }) => name);
  return `{ __typename ${leaves.join(' ')} }`;
}
