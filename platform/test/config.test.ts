import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { withoutFiles } from '../config/setting-files.ts';
import { notificationsShape, readConfig, setting } from '../config/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'spacerent-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const RANDOM = 'Xk3v9-QmT7bLz_w2RjHc8NfYpE5sUaGd';

const shape = {
  ...notificationsShape,
  BOOK_DATABASE_URL: setting.postgresUrl.optional(),
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  INTERNAL_TOKEN_KEYS: z.string().optional(),
  LOG_LEVEL: setting.logLevel,
};

function fileWith(text: string, name = `${Math.random()}`): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('a setting from a file', () => {
  test.each([
    ['without a newline', RANDOM],
    ['with a newline at the end', `${RANDOM}\n`],
    ['with a newline as Windows writes it', `${RANDOM}\r\n`],
  ])('is its text, %s', (_name, text) => {
    expect(readConfig(shape, { AUTH_SECRET_FILE: fileWith(text) }).AUTH_SECRET).toBe(RANDOM);
  });

  test('keeps all but one newline: a secret may end with one', () => {
    const { AUTH_SECRET } = readConfig(shape, { AUTH_SECRET_FILE: fileWith(`${RANDOM}\n\n`) });
    expect(AUTH_SECRET).toBe(`${RANDOM}\n`);
  });

  test('obeys the rules of the setting', () => {
    expect(() => readConfig(shape, { LOG_LEVEL_FILE: fileWith('loud') })).toThrow(
      'LOG_LEVEL is wrong',
    );
  });

  test('beside the setting itself is refused: nobody could say which one counts', () => {
    const env = { AUTH_SECRET: RANDOM, AUTH_SECRET_FILE: fileWith(RANDOM) };
    expect(() => readConfig(shape, env)).toThrow(
      'AUTH_SECRET_FILE is set, and so is AUTH_SECRET: leave one of them out.',
    );
  });

  test('that cannot be read is told with its name, and once', () => {
    const file = join(folder, 'missing');
    const required = { AUTH_SECRET: z.string() };
    expect(() => readConfig(required, { AUTH_SECRET_FILE: file })).toThrow(
      new Error(
        `The environment is not usable:\n  AUTH_SECRET_FILE names a file that cannot be read: ${file} (ENOENT).`,
      ),
    );
    expect(() => readConfig(required, { AUTH_SECRET_FILE: fileWith('\n') })).toThrow('empty file');
  });

  test('is not handed on beside the value', () => {
    const env = { AUTH_SECRET_FILE: '/a', HOLD_SECONDS_FILE: '/b', PATH: '/bin' };
    expect(withoutFiles(['AUTH_SECRET'], env)).toEqual({ HOLD_SECONDS_FILE: '/b', PATH: '/bin' });
  });
});

describe('a secret that everybody knows', () => {
  const refused: [string, string][] = [
    ['AUTH_SECRET', 'for-development-only-set-AUTH_SECRET-elsewhere'],
    ['AUTH_SECRET', 'x'.repeat(40)],
    ['INTERNAL_TOKEN_KEYS', `${RANDOM},for-development-only-0000000000000000`],
    ['INTERNAL_TOKEN_KEYS', 'changeme'],
    ['REDIS_URL', 'redis://:spacerent-dev@redis:6379'],
    ['REDIS_URL', 'rediss://default:Secret@redis:6379'],
    ['BOOK_DATABASE_URL', 'postgresql://book:book-dev@postgres:5432/book'],
    ['BOOK_DATABASE_URL', 'postgresql://postgres:postgres@postgres/book'],
    ['BOOK_DATABASE_URL', 'postgresql://reader:reader@postgres/book'],
    ['BOOK_DATABASE_URL', 'postgresql://book:p%61ssword@postgres/book'],
    ['BOOK_DATABASE_URL', 'postgresql://postgres/book?user=book&password=changeme'],
  ];

  test.each(refused)('as %s is refused, without its value: %s', (name, value) => {
    let message = '';
    try {
      readConfig(shape, { [name]: value });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(new RegExp(`^  ${name} .* that everybody knows: `, 'm'));
    expect(message).not.toContain(value);
  });

  test('is told together with all else that is wrong', () => {
    const env = { AUTH_SECRET: 'changeme', LOG_LEVEL: 'loud' };
    expect(() => readConfig(shape, env)).toThrow(
      /LOG_LEVEL is wrong.*\n {2}AUTH_SECRET is an example/,
    );
  });

  test.each(refused.filter(([, value]) => value.length >= 32))(
    'is let pass in the embedded profile: %s = %s',
    (name, value) => {
      const env = { SPACERENT_PROFILE: 'embedded', [name]: value };
      expect(readConfig(shape, env)).toMatchObject({ [name]: value });
    },
  );

  test.each([
    ['AUTH_SECRET', RANDOM],
    ['INTERNAL_TOKEN_KEYS', `${RANDOM},${RANDOM}`],
    ['REDIS_URL', `redis://:${RANDOM}@redis:6379`],
    ['REDIS_URL', 'redis://redis:6379'],
    ['BOOK_DATABASE_URL', `postgresql://book:${RANDOM}@postgres:5432/book`],
    ['BOOK_DATABASE_URL', 'postgresql://book@postgres/book?sslmode=require'],
  ])('is not found where there is none: %s = %s', (name, value) => {
    expect(readConfig(shape, { [name]: value })).toMatchObject({ [name]: value });
  });
});
