import { CommandError } from '../command.mjs';

/** The part of a command's --help on the time that a database was restored to. */
export const sinceHelp = `  --since <instant>   the time that the database was restored to, some minutes earlier to be safe, such
                      as 2026-11-29T14:50:00Z`;

/**
 * The instant in RFC 3339; throws a sentence where there is none.
 *
 * @param {string | undefined} since
 */
export function parseSince(since) {
  const instant = new Date(since ?? '');
  if (since && !Number.isNaN(instant.getTime())) return instant.toISOString();
  throw new CommandError(
    since
      ? `"${since}" is no instant: write it as 2026-11-29T14:50:00Z.`
      : 'Say with --since to which time the database was restored.',
  );
}
