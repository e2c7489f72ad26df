import type { InvalidSpace } from '../refusals.ts';

/** The largest Int of GraphQL. */
const MAX_AMOUNT = 2_147_483_647;

export function invalid(field: string, message: string): InvalidSpace {
  return { type: 'InvalidSpace', field, message };
}

/** `what` is the word for the field in the message. */
export function textProblem(
  field: string,
  what: string,
  text: string,
  minLength: number,
  maxLength: number,
): InvalidSpace | null {
  // Line breaks and tabs are allowed in a description.
  if (/(?![\n\r\t])\p{Cc}/u.test(text)) {
    return invalid(field, `The ${what} must not hold control characters.`);
  }
  if (text.trim().length >= minLength && text.length <= maxLength) return null;
  return invalid(field, `The ${what} must have ${minLength} to ${maxLength} characters.`);
}

export function rangeProblem(
  field: string,
  value: number,
  min: number,
  max: number,
): InvalidSpace | null {
  if (Number.isInteger(value) && value >= min && value <= max) return null;
  return invalid(field, `Write a whole number from ${min} to ${max}.`);
}

/** A rate or price in minor units. */
export function amountProblem(field: string, amount: number): InvalidSpace | null {
  return rangeProblem(field, amount, 0, MAX_AMOUNT);
}

export function sizeProblem(
  field: string,
  list: readonly unknown[],
  max: number,
): InvalidSpace | null {
  if (list.length <= max) return null;
  return invalid(field, `Write at most ${max} entries, not ${list.length}.`);
}

/** The first problem of a list's entries. */
export function entryProblem<Entry>(
  list: readonly Entry[],
  problemOf: (entry: Entry, index: number) => InvalidSpace | null,
): InvalidSpace | null {
  for (const [index, entry] of list.entries()) {
    const problem = problemOf(entry, index);
    if (problem) return problem;
  }
  return null;
}

/** Is the text a date YYYY-MM-DD of the calendar? */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const midnight = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}
