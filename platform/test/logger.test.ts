import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { secretsIn } from '../auth/secrets.ts';
import { projectFile } from '../config/project.ts';
import { redactor } from '../observability/redaction.ts';

const SETTINGS = {
  AUTH_SECRET: 'auth-Xk3v9QmT7bLzw2RjHc8NfYpE5sUaGd',
  INTERNAL_TOKEN_KEYS: 'first-8NfYpE5sUaGdXk3v9QmT7bLz,second-T7bLzw2RjHc8NfYpE5sUaGd',
  BOOK_DATABASE_URL: 'postgresql://book:b%40ok%22pass%5C%2F9@postgres:5432/book',
  REDIS_URL: 'redis://:redis-pw-4711@one:6379,redis://:other-pw-5822@two:6379',
  MYPAGE_DATABASE_URL: 'mysql://mypage:71830512@mariadb/mypage',
  OTEL_EXPORTER_OTLP_HEADERS: { authorization: 'ApiKey of-the-collector-77' },
  BOOK_URL: 'http://book:4001',
  HOLD_SECONDS: 900,
};
const SECRETS = [
  ['the secret of tokens', SETTINGS.AUTH_SECRET],
  ['a first key', 'first-8NfYpE5sUaGdXk3v9QmT7bLz'],
  ['a second key', 'second-T7bLzw2RjHc8NfYpE5sUaGd'],
  ['both keys at once', SETTINGS.INTERNAL_TOKEN_KEYS],
  ['a password as it is meant', 'b@ok"pass\\/9'],
  ['a password as it stands in its address', 'b%40ok%22pass%5C%2F9'],
  ['the password of Redis', 'redis-pw-4711'],
  ['the password of another node of Redis', 'other-pw-5822'],
  ['a password of digits', '71830512'],
  ['a header for the collector', 'ApiKey of-the-collector-77'],
  ['a token', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJraW0ifQ.c2lnbmF0dXJlLW9mLXRva2Vu'],
  ['an encrypted token', 'eyJhbGciOiJkaXIifQ..aXYtaXYtaXY.Y2lwaGVydGV4dA.dGFnLXRhZw'],
] as const;
/** Passwords of others: recognised only by their position. */
const FOREIGN_SECRETS = [
  ['a bearer token of any kind', 'Bearer 2YotnFZFEjr1zCsicMWpAA', '2YotnFZFEjr1zCsicMWpAA'],
  ['an account in an address', 'https://kim:h4nter2!@example.com/x', 'h4nter2!'],
] as const;

interface Entry {
  fields?: object;
  error?: object;
  message?: string;
}

/** What a process with these settings writes: its lines, as they are. */
function written(entries: Entry[]): string[] {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [projectFile('tests/support/log-writer.mjs')],
    {
      encoding: 'utf8',
      input: JSON.stringify({ settings: SETTINGS, entries }),
      env: { PATH: process.env.PATH },
    },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.split('\n').slice(0, -1);
}

const placements: [string, (secret: string) => Entry][] = [
  ['the message', (secret) => ({ message: `cannot log in with ${secret}!` })],
  ["an error's message", (secret) => ({ error: { message: `refused: ${secret}` } })],
  ['a property of an error', (secret) => ({ error: { message: 'x', input: secret } })],
  ['a nested object', (secret) => ({ fields: { a: { b: [{ c: `<${secret}>` }] } } })],
  ['a name', (secret) => ({ fields: { [secret]: true } })],
  ['an address', (secret) => ({ fields: { url: `https://example.com/x?y=${secret}&z=1` } })],
];

describe('the log', () => {
  test.each(placements)('the log shows no secret that is in %s', (_name, place) => {
    const cases = [
      ...SECRETS.map(([, secret]) => ({ sent: secret, hidden: secret as string })),
      ...FOREIGN_SECRETS.map(([, sent, hidden]) => ({ sent, hidden })),
    ];
    const lines = written(cases.map(({ sent }) => place(sent)));
    expect(lines).toHaveLength(cases.length);
    for (const [index, { hidden }] of cases.entries()) {
      const line = lines[index] as string;
      expect(() => JSON.parse(line)).not.toThrow();
      expect(line).not.toContain(hidden);
      expect(line).not.toContain(JSON.stringify(hidden).slice(1, -1));
      expect(line).not.toContain(encodeURIComponent(hidden));
    }
  });

  test('the log keeps everything else, and blanks numbers that equal a secret of digits', () => {
    const fields = { url: 'http://book:4001/graphql', ms: 71830512, list: [1, 2] };
    const [line] = written([{ fields, message: 'the service responds' }]);
    expect(JSON.parse(line as string)).toMatchObject({
      ...fields,
      ms: 0,
      msg: 'the service responds',
      service: 'test',
      level: 'warn',
    });
  });

  test('every log entry is one line of JSON, whatever users send', () => {
    const nasty = 'kim\n{"level":"fatal","msg":"forged"}\r\u001b[2J\u009b31m\u2028\u0085\u0000"';
    const lines = written([
      { message: nasty },
      { fields: { name: nasty } },
      { error: { message: nasty } },
    ]);
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      expect(JSON.parse(line).level).toBe('warn');
    }
    expect(JSON.parse(lines[0] as string).msg).toBe(nasty);
    expect(JSON.parse(lines[1] as string).name).toBe(nasty);
  });
});

test('a process goes on although its log cannot be written, because the disk is full', () => {
  // Every write to this device fails as on a full disk.
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    [projectFile('tests/support/log-writer.mjs')],
    {
      encoding: 'utf8',
      input: JSON.stringify({ settings: SETTINGS, entries: [{ message: 'lost' }], isSlow: true }),
      env: { PATH: process.env.PATH },
      stdio: ['pipe', full, 'pipe'],
      // It must not wait for space.
      timeout: 60_000,
    },
  );
  closeSync(full);
  expect(stderr).toBe('goes on\n');
  expect(status).toBe(0);
});

test('a short password is blanked where it stands in an address, and words are left alone', () => {
  const blank = redactor(secretsIn({ BOOK_DATABASE_URL: 'postgresql://book:me@postgres/book' }));
  expect(blank('{"msg":"some message for me: postgresql://book:me@postgres/book"}')).toBe(
    '{"msg":"some message for me: postgresql://book:[redacted]@postgres/book"}',
  );
});
