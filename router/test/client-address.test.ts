import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { clientAddress, toCountedAddress, trustedProxies } from '../src/http/client-address.ts';

const from = (remoteAddress: string, forwarded?: string) =>
  ({
    headers: { ...(forwarded && { 'x-forwarded-for': forwarded }) },
    socket: { remoteAddress },
  }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  test('the address of a client is that of the connection, and X-Forwarded-For is ignored', () => {
    expect(clientAddress([])(from('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7');
  });

  test('the address of a client is the last one that trusted proxies report', () => {
    const findAddress = clientAddress(['10.0.0.0/8']);
    expect(findAddress(from('10.1.1.1', '198.51.100.1'))).toBe('198.51.100.1');
    expect(findAddress(from('10.1.1.1', '6.6.6.6, 198.51.100.1, 10.2.2.2'))).toBe('198.51.100.1');
    expect(findAddress(from('::ffff:10.1.1.1', '198.51.100.1'))).toBe('198.51.100.1');
    expect(findAddress(from('11.1.1.1', '198.51.100.1'))).toBe('11.1.1.1');
    expect(findAddress(from('10.1.1.1'))).toBe('10.1.1.1');
  });

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:ffff::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('the address %s is counted as %s', (address, counted) => {
    expect(toCountedAddress(address)).toBe(counted);
  });
});

describe('proxies to trust', () => {
  test('trusted proxies are a list of addresses and networks', () => {
    expect(trustedProxies.parse('10.0.0.1, fd00::/8,loopback')).toEqual([
      '10.0.0.1',
      'fd00::/8',
      'loopback',
    ]);
  });

  test.each(['proxy.example', '10.0.0.0/33', '10.0.0.1,,', '0.0.0.0/0', '::/0'])(
    'trusted proxies cannot be %s',
    (list) => {
      expect(trustedProxies.safeParse(list).success).toBe(false);
    },
  );
});
