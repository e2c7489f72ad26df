import { GraphQLScalarType, Kind } from 'graphql';
import { badInput } from './errors.ts';

// RFC 3339, section 5.6: the offset is required.
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

function parseInstant(value: unknown): Date {
  const instant = typeof value === 'string' && RFC_3339.test(value) ? new Date(value) : undefined;
  if (!instant || Number.isNaN(instant.getTime()) || hasInvalidDay(value as string)) {
    throw badInput(
      'DateTime',
      `${JSON.stringify(value)} is no instant: write RFC 3339 with an offset, for example 2030-01-31T09:00:00+09:00.`,
    );
  }
  return instant;
}

/** JavaScript reads 30 February as 1 or 2 March instead of rejecting it. */
function hasInvalidDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
  return day > new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Input: RFC 3339 with an offset. Output: UTC with a Z. */
export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(node.kind === Kind.STRING ? node.value : undefined),
  serialize: (value) => (value instanceof Date ? value : new Date(value as string)).toISOString(),
});

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function parseDate(value: unknown): string {
  const isDate =
    typeof value === 'string' &&
    DATE.test(value) &&
    !Number.isNaN(Date.parse(value)) &&
    !hasInvalidDay(value);
  if (isDate) return value;
  throw badInput(
    'Date',
    `${JSON.stringify(value)} is no date: write YYYY-MM-DD, for example 2030-01-31.`,
  );
}

/** A calendar date YYYY-MM-DD without a zone, as text. */
export const LocalDate = new GraphQLScalarType<string, string>({
  name: 'Date',
  parseValue: parseDate,
  parseLiteral: (node) => parseDate(node.kind === Kind.STRING ? node.value : undefined),
  serialize: (value) => parseDate(value),
});
