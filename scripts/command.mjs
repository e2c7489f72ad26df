// What every command begins with: --help, options, and a sentence instead of a stack.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { requireNode } from './node-version.mjs';

/** The project's folder. Not import.meta.dirname: an old Node lacks it, and must get as far as requireNode(). */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** A failure whose message is a sentence for the user of the command. */
export class CommandError extends Error {
  exitCode = 1;
}

/** The command line is wrong. */
export class UsageError extends CommandError {
  /** @override */
  exitCode = 2;
}

/**
 * Prints `help` for --help or -h, otherwise runs `main` with the arguments. What `main` throws is printed as
 * its message and sets the exit code; an error in the program itself keeps its stack.
 *
 * @param {string} help
 * @param {(args: string[]) => unknown} main
 * @param {string[]} [args]
 */
export async function runCommand(help, main, args = process.argv.slice(2)) {
  if (wantsHelp(args)) {
    console.log(help);
    return;
  }
  requireNode();
  try {
    await main(args);
  } catch (error) {
    if (isWrongOption(error)) {
      console.error(`${toMessage(error)}\n\n${help}`);
      process.exitCode = 2;
      return;
    }
    console.error(isProgramError(error) ? error : toMessage(error));
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  }
}

/**
 * Whether Node's parseArgs refused the command line.
 *
 * @param {unknown} error
 */
function isWrongOption(error) {
  const { code } = /** @type {{ code?: unknown }} */ (error instanceof Error ? error : {});
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS_');
}

/** @param {string[]} args */
export function wantsHelp(args) {
  return args.includes('--help') || args.includes('-h');
}

/**
 * Node's parseArgs; a wrong command line throws a {@link UsageError} that ends with `help`.
 *
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} help
 * @param {T} config
 */
export function parseOptions(help, config) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(`${toMessage(error)}\n\n${help}`);
  }
}

/**
 * The message of a thrown value.
 *
 * @param {unknown} error
 */
export function toMessage(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {unknown} error */
function isProgramError(error) {
  return [TypeError, ReferenceError, RangeError, SyntaxError].some((type) => error instanceof type);
}
