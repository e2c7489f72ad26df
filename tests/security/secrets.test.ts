import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { randomSecrets } from '../../scripts/ops/secrets.mjs';
import { readComposeFile } from '../support/compose-file.mjs';
import { launchServiceProcess } from '../support/service-process.ts';
import { until } from '../support/system.ts';

const folder = mkdtempSync(join(tmpdir(), 'spacerent-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PROVIDER = {
  AUTH_JWKS_URL: 'https://id.example/jwks',
  AUTH_ISSUER: 'https://id.example',
  AUTH_AUDIENCE: 'https://api.example',
};

/** Runs a program to its end, with the given settings as its whole environment. */
function run(program: string[], settings: Record<string, string> = {}) {
  const { PATH, HOME } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH, HOME, ...settings },
  });
  return { code: status, text: stdout + stderr };
}

describe('npm run ops -- secrets', () => {
  const command = ['scripts/ops.mjs', 'secrets'];

  test('npm run secrets writes a file for its owner only, with every variable of docker-compose.yml', () => {
    const file = join(folder, 'new.env');
    expect(run([...command, '--file', file]).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, 'utf8').split('\n');
    const written = lines.flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? []);
    const required = readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{(\w+):\?/g);
    expect(written).toEqual(expect.arrayContaining([...required].map(([, name]) => name)));
  });

  test('npm run secrets does not overwrite a file', () => {
    const file = join(folder, 'kept.env');
    writeFileSync(file, 'REDIS_PASSWORD=in-use\n');
    const { code, text } = run([...command, '--file', file]);
    expect(code).toBe(1);
    expect(text).toContain('exists already');
    expect(readFileSync(file, 'utf8')).toBe('REDIS_PASSWORD=in-use\n');
  });

  test('npm run secrets makes different secrets each time', () => {
    const secrets = [randomSecrets(), randomSecrets()].flatMap((each) => Object.values(each));
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/);
  });

  test.each([['--wrong'], ['--file'], ['--print', 'x']])(
    'npm run secrets prints its usage for the arguments %s',
    (...args) => {
      expect(run([...command, ...args])).toMatchObject({ code: 2 });
    },
  );
});

describe('the file docker-compose.yml', () => {
  test.each(['REDIS_PASSWORD', 'BOOK_DATABASE_PASSWORD', 'POSTGRES_PASSWORD', 'AUTH_ISSUER'])(
    'docker-compose.yml does not start without %s',
    (name) => {
      const variables = { ...randomSecrets(), ...PROVIDER, [name]: '' };
      expect(() => readComposeFile('docker-compose.yml', variables)).toThrow(`${name} is missing`);
    },
  );

  test('docker-compose.yml contains no secret', () => {
    const text = readFileSync('docker-compose.yml', 'utf8');
    expect(text).not.toMatch(/(PASSWORD|SECRET|KEYS?|TOKEN):?-[^}]/);
  });
});

describe('secrets of the servers profile', () => {
  const ADDRESSES = {
    BOOK_URL: 'http://127.0.0.1:9',
    PAYMENT_URL: 'http://127.0.0.1:9',
    SPACE_URL: 'http://127.0.0.1:9',
    MYPAGE_URL: 'http://127.0.0.1:9',
    INTERNAL_TOKEN_KEYS: randomSecrets().INTERNAL_TOKEN_KEYS as string,
    REDIS_URL: 'redis://127.0.0.1:9',
  };
  const router = ['dist/router/src/main.js'];

  test.each([
    ['book', { BOOK_DATABASE_URL: 'postgresql://book:book-dev@127.0.0.1:9/book' }],
    ['payment', { PAYMENT_DATABASE_URL: 'postgresql://postgres:postgres@127.0.0.1:9/payment' }],
    ['space', { SPACE_DATABASE_URL: 'postgresql://space:changeme@127.0.0.1:9/space' }],
    ['mypage', { MYPAGE_DATABASE_URL: 'mysql://mypage:mypage-dev@127.0.0.1:9/mypage' }],
    ['mypage', { REDIS_URL: 'redis://:spacerent-dev@127.0.0.1:9' }],
  ])('the service %s does not start with a well-known password', (service, settings) => {
    const { code, text } = run([`dist/subgraphs/${service}/src/main.js`], {
      ...ADDRESSES,
      ...settings,
    });
    const [[name, url]] = Object.entries(settings) as [[string, string]];
    expect(code).toBe(2);
    expect(text).toContain(`${name} holds a password that everybody knows`);
    expect(text).not.toContain(new URL(url).password);
  });

  test('the router of the servers profile does not start with a secret of the embedded profile', () => {
    const AUTH_SECRET = 'a-secret-that-is-long-enough-to-be-one';
    const { code, text } = run(router, { ...ADDRESSES, ...PROVIDER, AUTH_SECRET });
    expect(code).toBe(2);
    expect(text).toContain('AUTH_SECRET is wrong: belongs to the embedded profile');
    expect(text).not.toContain(AUTH_SECRET);
  });

  test.each([
    ['a key URL without TLS', { AUTH_JWKS_URL: 'http://id.example/jwks' }],
    ['a key URL of a file', { AUTH_JWKS_URL: 'file:///etc/keys' }],
    ['a symmetric signature algorithm', { AUTH_ALGORITHMS: 'RS256,HS256' }],
    ['the signature algorithm none', { AUTH_ALGORITHMS: 'none' }],
    ['an unknown profile', { SPACERENT_PROFILE: 'production' }],
  ])('the router does not start with %s', (_name, settings) => {
    const { code, text } = run(router, { ...ADDRESSES, ...PROVIDER, ...settings });
    expect(code).toBe(2);
    expect(text).toContain(`${Object.keys(settings)[0]} is wrong: `);
  });

  test('the router of the embedded profile does not start with an identity provider', () => {
    const { code, text } = run(router, {
      ...ADDRESSES,
      ...PROVIDER,
      SPACERENT_PROFILE: 'embedded',
      AUTH_SECRET: 'a-secret-that-is-long-enough-to-be-one',
    });
    expect(code).toBe(2);
    expect(text).toContain('AUTH_JWKS_URL is wrong: belongs to the servers profile');
  });

  test('npm start reads settings from files and names what is wrong with them', () => {
    const file = join(folder, 'redis-url');
    writeFileSync(file, 'redis://:changeme@127.0.0.1:9\n');
    const { code, text } = run(['dist/supervisor/src/main.js'], {
      SPACERENT_HOME: join(folder, 'home'),
      REDIS_URL_FILE: file,
      BOOK_DATABASE_URL: 'postgresql://127.0.0.1:9/book',
      BOOK_DATABASE_URL_FILE: file,
      AUTH_SECRET: 'a-secret-that-is-long-enough-to-be-one',
    });
    expect(code).toBe(1);
    expect(text).toContain('REDIS_URL holds a password that everybody knows');
    expect(text).toContain('BOOK_DATABASE_URL_FILE is set, and so is BOOK_DATABASE_URL');
    expect(text).toContain('missing: PAYMENT_DATABASE_URL, ');
    expect(text).toContain('AUTH_SECRET belongs to the embedded profile');
  });

  test.each([
    'postgresql://book:Xk3v9QmT7bLz@127.0.0.1:9/book',
    'postgresql://127.0.0.1:9/book?user=book&password=Xk3v9QmT7bLz',
  ])('a service that cannot reach %s does not log its password', async (url) => {
    const settings = { ...ADDRESSES, BOOK_DATABASE_URL: url, LOG_LEVEL: 'trace' };
    const book = await launchServiceProcess('book', settings);
    await until('it waits', () => book.log().includes('book waits for its database'), 50);
    const readiness = await fetch(`${book.url}/health/ready`);
    expect(await readiness.text()).not.toContain('Xk3v9QmT7bLz');
    await book.end();
    expect(book.log()).not.toContain('Xk3v9QmT7bLz');
  });

  test('a service does not start with an address whose password is not encoded, and does not log it', () => {
    const { code, text } = run(['dist/subgraphs/book/src/main.js'], {
      ...ADDRESSES,
      BOOK_DATABASE_URL: 'postgresql://book:Xk3v9/QmT7bLz@127.0.0.1:9/book',
    });
    expect(code).toBe(2);
    expect(text).toContain('BOOK_DATABASE_URL is wrong: must be a valid address');
    expect(text).not.toContain('QmT7bLz');
  });
});
