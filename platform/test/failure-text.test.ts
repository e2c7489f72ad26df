import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { failureText, plainFailureText } from '../messaging/failure-text.ts';

/** What must not be stored: stacks, files, statements, values and credentials. */
const CONFIDENTIAL =
  /\n|\bat \S+ \(|\.[mc]?[jt]s\b|node_modules|prisma|SELECT|kim@example|hunter2/i;

describe('the text of a failure', () => {
  test('the text of a contract violation names the fields of the payload, and no value', () => {
    const { error } = z
      .object({ slot: z.object({ startAt: z.iso.datetime() }), email: z.int() })
      .safeParse({ slot: { startAt: 'soon' }, email: 'kim@example.org' });
    const text = failureText(error);
    expect(text).toContain('The payload does not match its contract: slot.startAt: ');
    expect(text).toContain('email: ');
    expect(text).not.toMatch(CONFIDENTIAL);
  });

  test('the text of a refused statement names the code and the constraint, and omits the message', () => {
    const refused = Object.assign(new Error('duplicate key: Key (email)=(kim@example.org)'), {
      severity: 'ERROR',
      code: '23505',
      constraint: 'customer_email_key',
      table: 'customer',
    });
    expect(failureText(refused)).toBe(
      'The database refused it: code 23505, constraint customer_email_key, table customer.',
    );
  });

  test('the text of a fault in the code omits the message of the engine', () => {
    const text = failureText(new TypeError("Cannot read properties of undefined (reading 'x')"));
    expect(text).toBe(
      "A fault in the service's code; its log has the details under the event's id.",
    );
  });

  test('the text of our own error is its message, in one line and without files and passwords', () => {
    expect(failureText(new Error('Booked: there is no booking 7'))).toBe(
      'Booked: there is no booking 7',
    );
    const odd = new Error(
      'reading /srv/app/dist/x.js:1:2 from mysql://kim:hunter2@db/views\nwith Bearer abcdefghijkl',
    );
    expect(failureText(odd)).toBe('reading (a file) from mysql://db/views with (a credential)');
    expect(failureText('x'.repeat(9_000)).length).toBeLessThanOrEqual(500);
  });

  test.each([
    ['Error: it does not agree\n    at run (file:///app/dist/a.js:1:2)', 'it does not agree'],
    [
      'PrismaClientKnownRequestError: \nInvalid `tx.x()` invocation in\n/app/src/x.ts:1:2\n\n→ 1 x(\nDatabase error. Code: `1406`. Message: `Data too long`\n    at y (/app/z.js:1:1)',
      'The database refused it: code 1406.',
    ],
    [
      'PrismaClientUnknownRequestError: \nInvalid `tx.x()` invocation in\n/app/src/x.ts:1:2',
      'The database refused it.',
    ],
    [
      'TypeError: Cannot read properties of undefined\n    at y (/app/z.js:1:1)',
      "A fault in the service's code; its log has the details under the event's id.",
    ],
    [
      "SqlError: refused\nsql: INSERT INTO x VALUES (?) - parameters:['kim@example.org']",
      'SqlError: refused',
    ],
  ])('a text that an earlier release stored loses its stack: %j', (old, text) => {
    expect(plainFailureText(old)).toBe(text);
    expect(plainFailureText(text)).toBe(text);
    expect(text).not.toMatch(CONFIDENTIAL);
  });
});
