import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { grouped, groupOf, SETTING_GROUPS } from '#platform/config/setting-groups.ts';
import { routerConfig } from '../../router/src/config.ts';
import { loadReaders } from '../../scripts/configuration/readers.mjs';
import { describeSettings } from '../../scripts/configuration/settings.mjs';
import { randomSecrets } from '../../scripts/ops/secrets.mjs';
import { bookConfig } from '../../subgraphs/book/src/config.ts';
import { mypageConfig } from '../../subgraphs/mypage/src/config.ts';
import { paymentConfig } from '../../subgraphs/payment/src/config.ts';
import { spaceConfig } from '../../subgraphs/space/src/config.ts';
import { readComposeFile } from '../support/compose-file.mjs';

const REFERENCE = readFileSync('docs/operations/configuration.md', 'utf8');
const EXAMPLE = readFileSync('.env.example', 'utf8');
const documented = [...REFERENCE.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => String(name));

type ReadConfig = (env: NodeJS.ProcessEnv) => unknown;
const services: [string, ReadConfig, profile: string][] = [
  ['router', routerConfig, 'embedded'],
  ['router', routerConfig, 'servers'],
  ['book', bookConfig, 'servers'],
  ['payment', paymentConfig, 'servers'],
  ['space', spaceConfig, 'servers'],
  ['mypage', mypageConfig, 'servers'],
];

/** The variables that a service reads from its environment, also those outside of its schema. */
function variablesRead(configure: ReadConfig, profile: string): string[] {
  const names = new Set<string>();
  const env = new Proxy<NodeJS.ProcessEnv>(
    {},
    {
      get(_target, name) {
        names.add(String(name));
        return name === 'SPACERENT_PROFILE' ? profile : undefined;
      },
    },
  );
  expect(() => configure(env)).toThrow('The environment is not usable');
  return [...names];
}

describe('the configuration reference', () => {
  test.each(services)(
    'the configuration reference has each variable that %s reads, and the variable for its file',
    (_name, read, profile) => {
      const names = variablesRead(read, profile);
      const settings = names.filter((name) => !name.endsWith('_FILE'));
      expect(settings.length).toBeGreaterThan(10);
      expect(documented).toEqual(expect.arrayContaining(settings));
      expect(names).toEqual(expect.arrayContaining(settings.map((name) => `${name}_FILE`)));
    },
  );

  test('the configuration reference has each variable that npm start reads, once', async () => {
    const loaded = await loadReaders((module) => import(`../../${module}.ts`));
    const names = describeSettings(loaded).map(({ name }) => name);
    expect(documented).toEqual(names);
    expect(names).toEqual(expect.arrayContaining(['SPACERENT_HOME', 'SPACERENT_DEMO', 'PORT']));
    expect(new Set(names).size).toBe(names.length);
  });

  test('the configuration reference has each variable that docker-compose.yml sets', () => {
    const provider = { AUTH_JWKS_URL: 'x', AUTH_ISSUER: 'x', AUTH_AUDIENCE: 'x' };
    const compose = readComposeFile('docker-compose.yml', { ...randomSecrets(), ...provider });
    for (const { environment } of Object.values(compose.services)) {
      expect(documented).toEqual(expect.arrayContaining(Object.keys(environment)));
    }
  });
});

describe('the file .env.example', () => {
  test('the file .env.example has every variable', () => {
    const names = [...EXAMPLE.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual([...documented].sort());
  });

  test('the file .env.example starts no service before its placeholders are replaced', () => {
    const env = parseEnv(EXAMPLE) as NodeJS.ProcessEnv;
    const missing = /AUTH_JWKS_URL is not set.*AUTH_ISSUER is not set.*AUTH_AUDIENCE is not set/s;
    expect(() => routerConfig(env)).toThrow(missing);
    for (const [name, configure] of services.slice(2)) {
      const address = `${name.toUpperCase()}_DATABASE_URL`;
      expect(() => configure(env)).toThrow(`${address} holds a password that everybody knows`);
      expect(() => configure(env)).toThrow(
        'INTERNAL_TOKEN_KEYS is an example that everybody knows',
      );
    }
  });
});

describe('the description of settings', () => {
  const describeReaders = (...shapes: z.ZodRawShape[]) =>
    describeSettings({
      readers: shapes.map((shape, index) => ({ name: index === 0 ? 'book' : 'space', shape })),
      SETTING_GROUPS,
      groupOf,
    });

  test('the description of settings fails when two services describe one variable differently', () => {
    const shapeWith = (text: string) => grouped('service', { HOST: z.string().describe(text) });
    expect(() => describeReaders(shapeWith('An address.'), shapeWith('A name.'))).toThrow(
      'HOST has 2 descriptions: An address. / A name.',
    );
    expect(describeReaders(shapeWith('An address.'), shapeWith('An address.'))).toMatchObject([
      { name: 'HOST', readers: ['book', 'space'], isRequired: true },
    ]);
  });

  test('the description of settings fails when a variable has no description or no group', () => {
    expect(() => describeReaders({ HOST: z.string() })).toThrow(
      /HOST has no description in the settings of book.*HOST is in no group/s,
    );
  });
});
