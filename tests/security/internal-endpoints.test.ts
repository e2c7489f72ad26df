import { request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { contextNames } from '#contracts/topology.ts';
import { internalRequestSigner } from '#platform/auth/internal-requests.ts';
import { newCustomer } from '../support/customer.ts';
import { describeSystems } from '../support/system.ts';
import { internalKey, subgraphUrl } from './internal-requests.ts';

const GRAPHQL = { method: 'POST', path: '/graphql' };
const endpoints: [string, { method: string; path: string; body?: object }][] = [
  ['GraphQL', { ...GRAPHQL, body: { query: '{ __typename }' } }],
  ['the SDL', { ...GRAPHQL, body: { query: '{ _service { sdl } }' } }],
  [
    'an entity',
    {
      ...GRAPHQL,
      body: {
        query:
          '{ _entities(representations: [{ __typename: "Booking", id: "01890000-0000-7000-8000-000000000000" }]) { __typename } }',
      },
    },
  ],
  ['GraphQL by GET', { method: 'GET', path: '/graphql?query={__typename}' }],
  ['metrics', { method: 'GET', path: '/metrics' }],
  ['events', { method: 'GET', path: '/events' }],
  ['the number of events', { method: 'GET', path: '/events/count' }],
  ['records of bookings', { method: 'POST', path: '/booking-records', body: { bookingIds: [] } }],
  ['the inbox', { method: 'POST', path: '/inbox/recorded', body: { ids: [] } }],
  ['versions of views', { method: 'POST', path: '/views/versions', body: { bookings: [] } }],
  [
    'notifications of views',
    { method: 'GET', path: '/views/notifications?since=2026-01-01T00:00:00Z' },
  ],
  ['an unknown path', { method: 'GET', path: '/nothing' }],
  ['a way around a health check', { method: 'GET', path: '/health/live/../../events' }],
  [
    'an encoded way around a health check',
    { method: 'GET', path: '/health/live%2f..%2f..%2fevents' },
  ],
  ['a doubled slash', { method: 'GET', path: '//events' }],
  ['a slash at the end', { method: 'GET', path: '/health/live/' }],
  ['an empty body', { ...GRAPHQL }],
];

describeSystems('internal endpoints', (system) => {
  describe.each(contextNames)('internal endpoints of %s', (context) => {
    test.each(endpoints)(
      'a request without a service token is refused for %s',
      async (_name, endpoint) => {
        const { status, body } = await send(subgraphUrl(system, context), endpoint);
        expect(status).toBe(401);
        expect(JSON.parse(body).errors).toEqual([
          {
            message: 'Only services of this system may send requests here.',
            extensions: { code: 'UNAUTHENTICATED', correlationId: expect.any(String) },
          },
        ]);
      },
    );

    test.each(['/health/live', '/health/ready'])(
      'the health check %s responds to everybody',
      async (path) => {
        const { status } = await send(subgraphUrl(system, context), { method: 'GET', path });
        expect(status).toBe(200);
      },
    );

    test('a request with a token of anything but a service of this system is refused', async () => {
      const kim = await newCustomer(system);
      const elsewhere = context === 'book' ? 'payment' : 'book';
      const right = internalRequestSigner('router', [internalKey(system)]);
      const wrong = internalRequestSigner('router', ['another key that has as many characters']);
      const expired = await new SignJWT({ roles: ['operator'] })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('router')
        .setAudience(context)
        .setExpirationTime('-1m')
        .sign(new TextEncoder().encode(internalKey(system)));
      const headers: Record<string, string>[] = [
        { authorization: `Bearer ${kim.token}` },
        { authorization: `Bearer ${await system.token('olga', 'operator')}` },
        { authorization: await right(elsewhere, { userId: 'olga', roles: ['operator'] }) },
        { authorization: await wrong(context, { userId: 'olga', roles: ['operator'] }) },
        { authorization: `Bearer ${expired}` },
        { authorization: `Basic ${btoa(`router:${internalKey(system)}`)}` },
        { 'x-spacerent-viewer': encodeURIComponent('{"userId":"olga","roles":["operator"]}') },
      ];
      for (const forged of headers) {
        const endpoint = { ...GRAPHQL, body: { query: '{ __typename }' } };
        expect((await send(subgraphUrl(system, context), endpoint, forged)).status).toBe(401);
      }
      const endpoint = { ...GRAPHQL, body: { query: '{ __typename }' } };
      const authorization = await right(context);
      const { status } = await send(subgraphUrl(system, context), endpoint, { authorization });
      expect(status).toBe(200);
    });
  });
});

/** Sends exactly this path, which fetch would normalise. */
function send(
  url: string,
  { method, path, body }: { method: string; path: string; body?: object },
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path, headers: { 'content-type': 'application/json', ...headers } },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode, body: text });
      },
    );
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}
