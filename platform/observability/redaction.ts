const BLANK = '[redacted]';

/** Shorter ones stand by chance in many words; inside an address they are blanked all the same. */
const MIN_SECRET_LENGTH = 6;

/** As they stand in JSON: what ends a string is a quote, escaped or not. */
const CREDENTIALS: [RegExp, string][] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${BLANK}`],
  // JWTs, signed or encrypted: a header begins with {" in base64url.
  [/\beyJ[\w-]+(?:\.[\w-]*){2,4}/g, BLANK],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):[^\s/"\\]+@/gi, `$1:${BLANK}@`],
];

/** Characters that JSON leaves as they are, and that end or rewrite lines on some terminals. */
const UNESCAPED_CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * Makes what blanks credentials in one finished line of a JSON log: the given secrets, bearer tokens,
 * JWTs and passwords in addresses. The line stays valid JSON, and one line.
 */
export function redactor(secrets: readonly string[]): (line: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  // Longer ones first: one may be a part of another.
  const known = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const secret = known.length > 0 ? new RegExp(known.map(escaped).join('|'), 'g') : null;

  return (line) => {
    let text = line;
    // A number stays one.
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
