import fc from 'fast-check';
import {
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';

/** Ids and names that exist in the running system. */
export interface KnownIds {
  spaceId: string;
  bookingId: string;
  user: string;
  /** The start of a future hour, in milliseconds. */
  hour: number;
}

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

export const UNUSUAL_TEXTS = [
  ...['', ' ', '\0', 'a\0b', '\ud800', 'x\udfff', '\u202eabc', '\ufeff', '\u2028', '\uffff', 'İß'],
  ...['😀'.repeat(60), 'é'.repeat(201), 'x'.repeat(250), 'x'.repeat(20_000), '9'.repeat(400)],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '[object Object]'],
  ...[
    "'; DROP TABLE booking; --",
    '" OR 1=1 --',
    '%',
    '%_\\',
    '\\',
    '$1',
    '\u001b[31mred\u001b[0m',
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is tried
  ...['${7*7}', '{{7*7}}', '../../etc/passwd', '\r\nx-injected: yes', '{"a":1}', '\u0007\u009f'],
  ...['null', 'true', 'NaN', 'Infinity', '-0', '1e309', '0x10', 'W10', 'eyJpZCI6ICJcdTAwMDAifQ'],
  ...['Factory', '+09:00', 'EST5EDT', 'posix/UTC', '25:00', '24:01', '9:00'],
];

const UNUSUAL_NUMBERS = [
  ...[0, -0, 1, -1, 100, 101, 0.5, 1e21, 1e308, 2_147_483_647, 2_147_483_648, -2_147_483_648],
  ...[-2_147_483_649, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY, 5e-324],
];

const HOUR = 3_600_000;
const UNUSUAL_INSTANTS = [
  ...[
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '1970-01-01T00:00:00Z',
  ],
  ...['0000-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59', '+275760-09-13T00:00:00Z'],
  ...[
    '-000001-01-01T00:00:00Z',
    '2030-01-01T24:00:00Z',
    '2030-06-30T23:59:60Z',
    '2030-13-01T00:00:00Z',
  ],
  ...['2030-01-01T00:00:00+99:99', '2030-01-01T00:00:00.123456789Z', '2030-01-01', 'tomorrow'],
];

const ZONES = [
  'Asia/Seoul',
  'Etc/GMT+12',
  'Pacific/Kiritimati',
  'UTC',
  'Europe/Dublin',
  'Antarctica/Troll',
];
const METHODS = ['pm_ok', 'pm_ok', 'pm_declined'];

/** All unusual values, with some types that no argument has. */
export const UNUSUAL_VALUES: readonly unknown[] = [
  ...UNUSUAL_NUMBERS,
  ...UNUSUAL_INSTANTS,
  ...UNUSUAL_TEXTS,
  ...[null, true, [], {}, [[]], [null], { __proto__: null, constructor: 1 }],
];

/** One in so many values is unusual. */
export const UNUSUAL_RATES = [1_000_000, 200, 30, 4] as const;

/** A random value of an input type, as JSON; one in `unusual` values is invalid or extreme. */
export function randomValue(
  gen: fc.GeneratorValue,
  type: GraphQLInputType,
  known: KnownIds,
  unusual: number,
  name = '',
): unknown {
  const chance = (one: number) => isOneIn(gen, one);
  if (!isNonNullType(type) && chance(10)) return null;
  if (chance(unusual * 4)) return anything(gen);
  const inner = getNullableType(type);
  if (isListType(inner)) {
    const count = chance(unusual * 4) ? 300 : 1 + gen(evenly, 2);
    return Array.from({ length: count }, () =>
      randomValue(gen, inner.ofType, known, unusual, name),
    );
  }
  if (isInputObjectType(inner)) {
    const fields = Object.values(inner.getFields()).filter(
      (field) => isNonNullType(field.type) || chance(2),
    );
    const entries = fields
      .filter(() => !chance(unusual * 4))
      .map((field) => [field.name, randomValue(gen, field.type, known, unusual, field.name)]);
    if (chance(unusual * 4)) entries.push([pick(gen, UNUSUAL_TEXTS), anything(gen)]);
    return objectOf(entries);
  }
  if (isEnumType(inner)) {
    return chance(unusual * 2) ? pick(gen, UNUSUAL_TEXTS) : pick(gen, inner.getValues()).name;
  }
  return scalar(gen, inner.name, name, known, unusual);
}

function scalar(
  gen: fc.GeneratorValue,
  type: string,
  name: string,
  known: KnownIds,
  unusual: number,
): unknown {
  const isUnusual = isOneIn(gen, unusual);
  if (type === 'Boolean') return isOneIn(gen, 2);
  if (type === 'Int') {
    if (isUnusual) return pick(gen, UNUSUAL_NUMBERS);
    return name === 'headcount' || name === 'first' ? 1 + gen(evenly, 3) : 1 + gen(evenly, 99);
  }
  if (type === 'DateTime') {
    if (isUnusual) return pick(gen, UNUSUAL_INSTANTS);
    // A slot is one hour long.
    if (name === 'startAt' || name === 'from') return new Date(known.hour).toISOString();
    if (name === 'endAt' || name === 'to') return new Date(known.hour + HOUR).toISOString();
    return new Date(known.hour).toISOString();
  }
  if (type === 'Date') {
    return isUnusual
      ? pick(gen, UNUSUAL_INSTANTS)
      : new Date(known.hour).toISOString().slice(0, 10);
  }
  if (isUnusual) {
    return isOneIn(gen, 2) ? pick(gen, UNUSUAL_TEXTS) : gen(fc.string, { unit: 'binary' });
  }
  if (name === 'timeZone') return pick(gen, ZONES);
  if (name === 'url') return 'https://photos.example/1.jpg';
  if (name === 'holidayCountry') return pick(gen, ['KR', 'DE']);
  if (name === 'from') return pick(gen, ['00:00', '22:00']);
  if (name === 'to') return pick(gen, ['06:00', '24:00']);
  if (name === 'opens') return pick(gen, ['00:00', '09:00']);
  if (name === 'closes') return pick(gen, ['18:00', '23:59', '24:00']);
  if (name === 'idempotencyKey') return gen(fc.uuid);
  if (name === 'paymentMethod') return pick(gen, METHODS);
  if (name === 'after') return cursor(gen);
  if (name === 'spaceId' || name === 'bookingId')
    return pick(gen, [known[name], known[name], UNKNOWN_ID]);
  if (type === 'ID') {
    return pick(gen, [known.spaceId, known.bookingId, known.user, UNKNOWN_ID, gen(fc.uuid)]);
  }
  return `name ${gen(fc.string, { maxLength: 30, unit: 'grapheme' })}`;
}

/** A forged cursor: positions as JSON in base64url. */
function cursor(gen: fc.GeneratorValue): string {
  const position = pick(gen, [
    UNKNOWN_ID,
    { id: UNKNOWN_ID },
    { id: '\ud800' },
    { at: '+275760-09-13T00:00:00.000Z', id: UNKNOWN_ID },
    { at: '-000001-01-01T00:00:00.000Z', id: UNKNOWN_ID },
    { requestedAt: '9999-12-31T23:59:59.999Z', bookingId: UNKNOWN_ID, id: 7 },
    anything(gen),
  ]);
  return Buffer.from(JSON.stringify(position) ?? '').toString('base64url');
}

/** Any JSON value. */
export function anything(gen: fc.GeneratorValue): unknown {
  const kind = gen(evenly, 7);
  if (kind === 0) return pick(gen, UNUSUAL_NUMBERS);
  if (kind === 1) return pick(gen, UNUSUAL_TEXTS);
  if (kind === 2) return gen(fc.string, { unit: 'binary', maxLength: 40 });
  if (kind === 3) return nested(gen(fc.integer, { min: 1, max: 2_000 }));
  if (kind === 4) return objectOf([[pick(gen, UNUSUAL_TEXTS), pick(gen, UNUSUAL_TEXTS)]]);
  return gen(fc.jsonValue);
}

function nested(levels: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { value };
  return value;
}

/** Builds an object in which `__proto__` is an ordinary key. */
function objectOf(entries: unknown[][]): object {
  const object = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, String(key), { value, enumerable: true, configurable: true });
  }
  return object;
}

export function pick<T>(gen: fc.GeneratorValue, from: readonly T[]): T {
  return from[gen(evenly, from.length - 1)] as T;
}

/** True with a probability of one in `times`. */
export const isOneIn = (gen: fc.GeneratorValue, times: number): boolean =>
  gen(evenly, times - 1) === times - 1;

/** Numbers from 0 to `max`, without the bias of the library towards the ends. */
export const evenly = (max: number): fc.Arbitrary<number> => fc.noBias(fc.nat({ max }));
