import { z } from 'zod';
import { failureKind, listCauses, toIssueText } from './failures.ts';

const MAX_TEXT_SIZE = 500;
const FAULT = "A fault in the service's code; its log has the details under the event's id.";

/** Errors of JavaScript itself: their messages describe code and do not help an operator. */
const CODE_FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError];

/**
 * Describes in a sentence or two why an event failed, for operators: without stack, file, statement,
 * value or credential. The log has the details, under the event's id.
 */
export function failureText(error: unknown): string {
  if (error instanceof z.ZodError) {
    return plainFailureText(`The payload does not match its contract: ${toIssueText(error)}.`);
  }
  const database = databaseFailure(error);
  if (database) return database;
  if (CODE_FAULTS.some((kind) => error instanceof kind)) return FAULT;
  return plainFailureText(error instanceof Error ? error.message : String(error));
}

/** Describes an error of a database without the driver's message, which may contain values. */
function databaseFailure(error: unknown): string | null {
  const objects: string[] = [];
  let code: string | undefined;
  for (const cause of listCauses(error) as DatabaseFields[]) {
    const isFromServer = typeof cause.severity === 'string' || cause.sqlState !== undefined;
    code ??= cause.originalCode ?? (isFromServer ? String(cause.code ?? cause.errno) : undefined);
    const { constraint } = cause;
    const name = typeof constraint === 'string' ? constraint : constraint?.index;
    const fields = typeof constraint === 'object' ? constraint?.fields?.join(', ') : undefined;
    if (name ?? fields) objects.push(`constraint ${name ?? fields}`);
    if (cause.table) objects.push(`table ${cause.table}`);
    if (cause.column) objects.push(`column ${cause.column}`);
  }
  if (code === undefined && !isPrismaError(error)) return null;
  const problem =
    failureKind(error) === 'transient'
      ? 'The database could not do it now'
      : 'The database refused it';
  const details = [...new Set([...(code === undefined ? [] : [`code ${code}`]), ...objects])];
  return details.length === 0 ? `${problem}.` : `${problem}: ${details.join(', ')}.`;
}

interface DatabaseFields {
  severity?: string;
  code?: unknown;
  errno?: unknown;
  sqlState?: unknown;
  originalCode?: string;
  constraint?: string | { index?: string; fields?: string[] };
  table?: string;
  column?: string;
}

function isPrismaError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('Prisma');
}

const STACK_LINE = /\n\s+at .*/s;
const PATH =
  /(?:file:\/\/)?(?:[A-Za-z]:)?(?:[\\/][\w.@+ -]+)+\.(?:[cm]?[jt]sx?|node|json|sqlite|wasm)(?::\d+){0,2}/g;
const ADDRESS_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const CREDENTIAL = /\b(?:bearer|basic)\s+[\w.~+/=-]{6,}|\beyJ[\w-]+(?:\.[\w-]*){2,4}/gi;

/**
 * Turns the stored text of a failure into text for operators. Earlier versions stored the stack: it
 * is removed, and so are Prisma's excerpts of source files.
 */
export function plainFailureText(stored: string): string {
  const text = stored.replaceAll('\0', '').replace(STACK_LINE, '');
  if (/^Prisma\w+|^\s*Invalid `/.test(text)) {
    const [, code] = /Code: `(\w+)`/.exec(text) ?? [];
    return code ? `The database refused it: code ${code}.` : 'The database refused it.';
  }
  if (/^(?:Type|Range|Reference|Syntax|Eval|URI)Error\b/.test(text)) return FAULT;
  const plain = text
    .replace(/^(?:Error|error|ZodError): /, '')
    // The MariaDB connector appends the statement and its parameters.
    .replace(/\nsql: .*/s, '')
    .replace(PATH, '(a file)')
    .replace(ADDRESS_PASSWORD, '$1')
    .replace(CREDENTIAL, '(a credential)')
    .replace(/\s+/g, ' ')
    .trim();
  return plain === '' ? FAULT : plain.slice(0, MAX_TEXT_SIZE);
}
