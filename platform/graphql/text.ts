/**
 * NUL, and halves of surrogate pairs: strings to JavaScript, but no text to PostgreSQL or in UTF-8, where
 * different ones become the same.
 */
const NO_TEXT = /[\0\p{Cs}]/u;

/** Can the string be stored and sent as the text that it is? */
export const isText = (text: string): boolean => !NO_TEXT.test(text);
