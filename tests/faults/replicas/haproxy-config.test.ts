import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
import { DEFAULTS, toHaproxyConfig } from './haproxy-config.ts';

test('the documentation shows the settings of HAProxy that the measurement runs with', () => {
  expect(readFileSync(projectFile('docs/operations/rollout.md'), 'utf8')).toContain(DEFAULTS);
});

test("HAProxy's configuration has each replica of a service behind the service's port", () => {
  const servers = [
    { name: 'book-1', port: 4101 },
    { name: 'book-2', port: 4102 },
  ];
  const config = toHaproxyConfig([{ service: 'book', port: 4001, servers }], {
    statsPort: 4000,
    checks: { periodMs: 500, failures: 2, successes: 2 },
  });
  expect(config).toContain(
    [
      '  default-server check inter 500ms fall 2 rise 2',
      '',
      'listen book',
      '  bind 127.0.0.1:4001',
      '  server book-1 127.0.0.1:4101',
      '  server book-2 127.0.0.1:4102',
    ].join('\n'),
  );
});

test('HAProxy sends a request again only where no connection could be opened', () => {
  expect(DEFAULTS).toMatch(/^ {2}retry-on conn-failure$/m);
});
