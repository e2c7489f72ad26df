import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyaddr from '@fastify/proxy-addr';
import { z } from 'zod';

/** Addresses, networks, and the names loopback, linklocal and uniquelocal, separated by commas. */
export const trustedProxies = z
  .string()
  .transform((list) => list.split(',').map((each) => each.trim()))
  .refine(
    (list) => !list.some((each) => each.endsWith('/0')),
    'must not trust everybody: clients would choose their own addresses',
  )
  .refine((list) => canCompile(list), 'must be addresses or networks, as in 10.0.0.0/8,fd00::/8');

function canCompile(list: string[]): boolean {
  try {
    proxyaddr.compile(list);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds the address of a request's client: behind trusted proxies, the one that they name in
 * X-Forwarded-For.
 */
export function clientAddress(trusted: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = proxyaddr.compile([...trusted]);
  return (request) => toCountedAddress(proxyaddr(request, isTrusted));
}

/** Whether a request comes from a trusted proxy, and not from a client itself. */
export function fromTrustedProxy(
  trusted: readonly string[],
): (request: IncomingMessage) => boolean {
  const isTrusted = proxyaddr.compile([...trusted]);
  return ({ socket }) => isTrusted(socket.remoteAddress ?? '', 0);
}

/** The address that rates are counted by: for IPv6 the /64 network, because one customer owns all of it. */
export function toCountedAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? [];
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const missing = address.includes('::') ? Math.max(0, 8 - first.length - last.length) : 0;
  const groups = [...first, ...Array<string>(missing).fill('0'), ...last];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
