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
  ])('a setting from a file %s has the text of the file', (_name, text) => {
    expect(readConfig(shape, { AUTH_SECRET_FILE: fileWith(text) }).AUTH_SECRET).toBe(RANDOM);
  });

  test('a setting from a file loses one newline at the end and keeps others', () => {
    const { AUTH_SECRET } = readConfig(shape, { AUTH_SECRET_FILE: fileWith(`${RANDOM}\n\n`) });
    expect(AUTH_SECRET).toBe(`${RANDOM}\n`);
  });

  test('a setting from a file is checked by the rules of the setting', () => {
    expect(() => readConfig(shape, { LOG_LEVEL_FILE: fileWith('loud') })).toThrow(
      'LOG_LEVEL is wrong',
    );
  });

  test('a setting that is set both by a file and by itself is refused', () => {
    const env = { AUTH_SECRET: RANDOM, AUTH_SECRET_FILE: fileWith(RANDOM) };
    expect(() => readConfig(shape, env)).toThrow(
      'AUTH_SECRET_FILE is set, and so is AUTH_SECRET: leave one of them out.',
    );
  });

  test('a file of a setting that cannot be read is reported once, with its name', () => {
    const file = join(folder, 'missing');
    const required = { AUTH_SECRET: z.string() };
    expect(() => readConfig(required, { AUTH_SECRET_FILE: file })).toThrow(
      new Error(
        `The environment is not usable:\n  AUTH_SECRET_FILE names a file that cannot be read: ${file} (ENOENT).`,
      ),
    );
    expect(() => readConfig(required, { AUTH_SECRET_FILE: fileWith('\n') })).toThrow('empty file');
  });

  test('the file of a setting is removed from the environment that has its value', () => {
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
    ['REDIS_URL', `redis://:${RANDOM}@one:6379,redis://:changeme@two:6379`],
    ['BOOK_DATABASE_URL', 'postgresql://book:book-dev@postgres:5432/book'],
    ['BOOK_DATABASE_URL', 'postgresql://postgres:postgres@postgres/book'],
    ['BOOK_DATABASE_URL', 'postgresql://reader:reader@postgres/book'],
    ['BOOK_DATABASE_URL', 'postgresql://book:p%61ssword@postgres/book'],
    ['BOOK_DATABASE_URL', 'postgresql://postgres/book?user=book&password=changeme'],
  ];

  test.each(refused)(
    'a well-known secret in %s is refused without its value in the message: %s',
    (name, value) => {
      let message = '';
      try {
        readConfig(shape, { [name]: value });
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(new RegExp(`^  ${name} .* that everybody knows: `, 'm'));
      expect(message).not.toContain(value);
    },
  );

  test('a well-known secret is reported together with all other errors', () => {
    const env = { AUTH_SECRET: 'changeme', LOG_LEVEL: 'loud' };
    expect(() => readConfig(shape, env)).toThrow(
      /LOG_LEVEL is wrong.*\n {2}AUTH_SECRET is an example/,
    );
  });

  test.each(refused.filter(([, value]) => value.length >= 32))(
    'a well-known secret is accepted in the embedded profile: %s = %s',
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
    ['REDIS_URL', `redis://:${RANDOM}@one:6379,redis://:${RANDOM}@two:6379`],
    ['BOOK_DATABASE_URL', `postgresql://book:${RANDOM}@postgres:5432/book`],
    ['BOOK_DATABASE_URL', 'postgresql://book@postgres/book?sslmode=require'],
  ])('a random secret is not reported as well-known: %s = %s', (name, value) => {
    expect(readConfig(shape, { [name]: value })).toMatchObject({ [name]: value });
  });
});
