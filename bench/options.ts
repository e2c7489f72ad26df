import { join, resolve } from 'node:path';
import { projectFile } from '#platform/config/project.ts';

/** Parses a whole number of the command line; throws a sentence when it is invalid or out of range. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= min && number <= max) {
    return number;
  }
  throw new Error(`${name} must be a whole number from ${min} to ${max}, not "${text}".`);
}

/** The absolute path of the results: the given one, or `.spacerent/<name>`. */
export function resultsFile(given: string | undefined, name: string): string {
  return given ? resolve(given) : join(projectFile('.spacerent'), name);
}
