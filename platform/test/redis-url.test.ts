import { describe, expect, test } from '@jest/globals';
import { isRedisSetting, nodeName, splitUrls, urlOfNode } from '../redis/redis-url.ts';

describe('the addresses of REDIS_URL', () => {
  test.each([
    ['redis://a:1', ['redis://a:1']],
    ['redis://:x@a:1,rediss://b:2', ['redis://:x@a:1', 'rediss://b:2']],
    [' redis://a:1,\n redis://b:2 ', ['redis://a:1', 'redis://b:2']],
    ['redis://:a,b@a:1,redis://:a,b@b:2', ['redis://:a,b@a:1', 'redis://:a,b@b:2']],
  ])('%p has the addresses %p', (setting, urls) => {
    expect(splitUrls(setting)).toEqual(urls);
    expect(isRedisSetting(setting)).toBe(true);
  });

  test.each([
    'a:6379',
    'http://a:6379',
    'redis://a:1,http://b:2',
    'redis://a:1,b:2',
    'redis://a:many',
    '',
  ])('%p is refused', (setting) => {
    expect(isRedisSetting(setting)).toBe(false);
  });
});

describe("the address of a cluster's node", () => {
  const url = 'rediss://user:p%40ss@first.example:6379/0?x=1';

  test.each([
    [{ host: '10.0.0.2', port: 7000 }, 'rediss://user:p%40ss@10.0.0.2:7000/0?x=1'],
    [{ host: 'node.example', port: 6379 }, 'rediss://user:p%40ss@node.example:6379/0?x=1'],
    [{ host: 'fd00::2', port: 7000 }, 'rediss://user:p%40ss@[fd00::2]:7000/0?x=1'],
  ])('%p keeps user, password and TLS of the address that named it', (node, expected) => {
    expect(urlOfNode(node, url)).toBe(expected);
  });

  test.each([[{ host: null, port: 7000 }], [{ host: '', port: 7000 }]])(
    '%p is on the host that named it',
    (node) => {
      expect(urlOfNode(node, url)).toBe('rediss://user:p%40ss@first.example:7000/0?x=1');
    },
  );

  test('its name for people has no password', () => {
    expect(nodeName(url)).toBe('first.example:6379');
    expect(nodeName('redis://:x@a')).toBe('a:6379');
  });
});
