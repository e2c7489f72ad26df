/**
 * NUL and halves of surrogate pairs: JavaScript allows them in strings. PostgreSQL rejects NUL, and UTF-8
 * replaces every half by the same character, so different strings would become equal.
 */
const NOT_TEXT = /[\0\p{Cs}]/u;

/** Can the string be stored and sent without a change? */
export const isText = (text: string): boolean => !NOT_TEXT.test(text);
