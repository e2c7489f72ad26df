// Finds the SQL of a migration that may break a running previous release.

const NAME = String.raw`(?:(?:"?public"?|\`\w+\`)\s*\.\s*)?["\`]?(\w+)["\`]?`;
/** @param {string} text */
const pattern = (text) =>
  new RegExp(text.replaceAll('<name>', NAME).replaceAll(' ', String.raw`\s+`), 'i');

const CREATED = new RegExp(
  pattern('\\bCREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?<name>').source,
  'gi',
);
const REDEFINED = new RegExp(pattern('\\bALTER TABLE <name> RENAME TO <name>').source, 'gi');

/**
 * The rules for single statements.
 *
 * @type {[what: string, rule: RegExp][]}
 */
const RULES = [
  ['drops a column', pattern('\\bDROP COLUMN\\b')],
  ['renames a column', pattern('\\bRENAME COLUMN\\b|\\bCHANGE COLUMN\\b')],
  ['renames a value of an enum', pattern('\\bRENAME VALUE\\b')],
  ['renames or replaces a type', pattern('\\bALTER TYPE <name> RENAME TO\\b')],
  ['drops a type', pattern('\\bDROP TYPE\\b')],
  ['removes a value of an enum', pattern('\\bDELETE FROM pg_enum\\b')],
  ['changes the type of a column', pattern('\\bALTER (?:COLUMN )?<name> (?:SET DATA )?TYPE\\b')],
  ['may change the type of a column', pattern('\\bMODIFY (?:COLUMN )?<name> ')],
  ['drops the default of a column', pattern('\\bDROP DEFAULT\\b')],
  ['drops a view', pattern('\\bDROP (?:MATERIALIZED )?VIEW\\b')],
];

/**
 * The mark in a migration on whether the previous release can run on it; undefined without.
 *
 * @param {string} sql
 */
export function readMark(sql) {
  return /^--[ \t]*(compatible|incompatible):[ \t]*\S/im.exec(sql)?.[1]?.toLowerCase();
}

/**
 * What the script does that may break a running previous release, as ends of a sentence.
 *
 * @param {string} sql
 * @returns {string[]}
 */
export function breakingStatements(sql) {
  const code = withoutCommentsAndTexts(sql);
  const created = new Set([...code.matchAll(CREATED)].map(([, name = '']) => name.toLowerCase()));
  // On SQLite a table is changed by copying it under another name; the MySQL twin shows the change itself.
  const redefined = new Set(
    [...code.matchAll(REDEFINED)].flatMap(([, from = '', to = '']) =>
      created.has(from.toLowerCase()) ? [from.toLowerCase(), to.toLowerCase()] : [],
    ),
  );
  /** @type {(name: string | undefined) => boolean} */
  const isNew = (name) => name !== undefined && created.has(name.toLowerCase());
  /** @type {(name: string | undefined) => boolean} */
  const isRedefined = (name) => name !== undefined && redefined.has(name.toLowerCase());

  return code.split(';').flatMap((statement) => {
    const found = RULES.filter(([, rule]) => rule.test(statement)).map(([what]) => what);
    const dropped = pattern('\\bDROP TABLE (?:IF EXISTS )?<name>').exec(statement)?.[1];
    if (dropped && !isRedefined(dropped)) found.push(`drops the table ${dropped}`);
    const renamed = pattern('\\b(?:ALTER|RENAME) TABLE <name> (?:RENAME )?TO <name>').exec(
      statement,
    )?.[1];
    if (renamed && !isRedefined(renamed)) found.push(`renames the table ${renamed}`);
    const [head = '', table] =
      pattern('^[^]*?\\bALTER TABLE (?:ONLY )?(?:IF EXISTS )?<name>').exec(statement) ?? [];
    const index = pattern(
      '\\bCREATE UNIQUE INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?<name> ON (?:ONLY )?<name>',
    ).exec(statement);
    if (index && !isNew(index[2])) found.push(`refuses rows of ${index[2]} by a unique index`);
    if (!table || isNew(table)) return isNew(table) ? [] : found;
    return [...found, ...columnProblems(statement.slice(head.length), table)];
  });
}

/**
 * @param {string} statement
 * @param {string} table
 */
function columnProblems(statement, table) {
  const found = [];
  // Each change of a table separately: the text before a comma belongs to another column.
  for (const change of splitChanges(statement)) {
    const isFilled = /\b(DEFAULT|GENERATED|AUTO_INCREMENT)\b/i.test(change);
    const demands = /\bSET\s+NOT\s+NULL\b/i.test(change);
    const column = pattern('\\b(?:ADD|ALTER) (?:COLUMN )?(?:IF NOT EXISTS )?<name>').exec(
      change,
    )?.[1];
    const isConstraint =
      /\bADD\s+(CONSTRAINT\b|UNIQUE\b|CHECK\b|FOREIGN\b|PRIMARY\b|EXCLUDE\b)/i.test(change);
    if (isConstraint) found.push(`refuses rows of ${table} by a new constraint`);
    else if (demands && !setsDefault(statement, column)) {
      found.push(`demands ${table}.${column}, which the previous release may leave out`);
    } else if (/^[^(]*?\bADD\b/i.test(change) && /\bNOT\s+NULL\b/i.test(change) && !isFilled) {
      found.push(
        `adds ${table}.${column} without a default, which the previous release leaves out`,
      );
    }
  }
  return found;
}

/**
 * @param {string} statement
 * @param {string | undefined} column
 */
function setsDefault(statement, column) {
  return pattern(`\\bALTER (?:COLUMN )?["\`]?${column}["\`]? SET DEFAULT\\b`).test(statement);
}

/**
 * Splits at the commas between changes, not at those within brackets.
 *
 * @param {string} statement
 */
function splitChanges(statement) {
  const changes = [''];
  let depth = 0;
  for (const character of statement) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) changes.push('');
    else changes[changes.length - 1] += character;
  }
  return changes;
}

/**
 * Comments are blanked, and so are texts and bodies of functions: they do nothing by themselves.
 *
 * @param {string} sql
 */
function withoutCommentsAndTexts(sql) {
  return sql.replaceAll(
    /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'/g,
    (text) => (text.startsWith("'") ? "''" : ' '),
  );
}
