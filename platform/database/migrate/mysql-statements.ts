const COMPOUND =
  /\bCREATE\s+(OR\s+REPLACE\s+)?(DEFINER\s*=\s*\S+\s+)?(AGGREGATE\s+)?(TRIGGER|PROCEDURE|FUNCTION|EVENT)\b/i;
const TOKENS =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|--[ \t][^\n]*|--\n|#[^\n]*|\/\*[\s\S]*?\*\/|;|[\s\S]/g;

/** Whether the script has bodies between BEGIN and END, whose semicolons end no statement. */
export function isCompound(script: string): boolean {
  return COMPOUND.test(script);
}

/**
 * The statements of a script, without the semicolons between them. Knows strings, quoted names and
 * comments; not for scripts that are {@link isCompound}.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let text = '';
  let hasCode = false;
  const end = () => {
    if (hasCode) statements.push(text.trim());
    text = '';
    hasCode = false;
  };
  for (const [token] of script.matchAll(TOKENS)) {
    if (token === ';') {
      end();
      continue;
    }
    text += token;
    const isComment = /^(--|#|\/\*(?!!))/.test(token) && token.length > 1;
    if (!isComment && token.trim() !== '') hasCode = true;
  }
  end();
  return statements;
}
