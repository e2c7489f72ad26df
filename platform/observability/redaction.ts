const BLANK = '[redacted]';

/** Shorter secrets occur by chance in many words; inside an address they are redacted anyway. */
const MIN_SECRET_LENGTH = 6;

/** Patterns for JSON: a string ends with a quote, escaped or not. */
const CREDENTIALS: [RegExp, string][] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${BLANK}`],
  // JWTs, signed or encrypted: a header begins with {" in base64url.
  [/\beyJ[\w-]+(?:\.[\w-]*){2,4}/g, BLANK],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):[^\s/"\\]+@/gi, `$1:${BLANK}@`],
];

/** Characters that JSON does not escape, and that end or rewrite lines on some terminals. */
const UNESCAPED_CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * Makes a function that redacts credentials in one finished line of a JSON log: the given secrets, bearer
 * tokens, JWTs and passwords in addresses. The line stays valid JSON, and one line.
 */
export function redactor(secrets: readonly string[]): (line: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  // Longer ones first: one may be a part of another.
  const patterns = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const secret = patterns.length > 0 ? new RegExp(patterns.map(escaped).join('|'), 'g') : null;

  return (line) => {
    let text = line;
    // A number stays a number: the line is JSON.
    if (secret) text = text.replace(secret, (found) => (/^\d+$/.test(found) ? '0' : BLANK));
    for (const [pattern, blank] of CREDENTIALS) text = text.replace(pattern, blank);
    return text.replace(UNESCAPED_CONTROLS, unicodeEscape);
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
