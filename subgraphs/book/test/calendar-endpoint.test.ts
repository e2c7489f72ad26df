import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { CALENDARS_PATH, calendarsResponse, MAX_CALENDAR_QUERIES } from '#contracts/calendars.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { serveCalendars } from '../src/adapters/calendar-endpoint.ts';
import type { CalendarQuery } from '../src/application/read-calendars.ts';
import { aSpace } from './a-booking.ts';

const [FROM, TO] = ['2030-06-03T00:00:00.000Z', '2030-06-03T06:00:00.000Z'];
const query = { spaceId: aSpace().id, from: FROM, to: TO };

let app: FastifyInstance | undefined;
afterEach(() => app?.close());

/** The endpoint of a book that knows one space, whose calendar has version 3. */
async function openEndpoint() {
  const metrics = createMetrics('book');
  app = Fastify();
  const read = async (queries: readonly CalendarQuery[]) =>
    queries.map(({ spaceId, after }) =>
      spaceId === query.spaceId
        ? {
            ...{ version: 3, space: aSpace(), now: new Date('2030-06-01T00:00:00Z') },
            occupied: after === 3 ? null : [],
          }
        : null,
    );
  serveCalendars({ read }, metrics)(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const post = (body: object) =>
    fetch(`http://127.0.0.1:${port}${CALENDARS_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { metrics, post };
}

test('the endpoint responds with slots, with none that the reader has, and with null for unknown spaces', async () => {
  const { metrics, post } = await openEndpoint();
  const unknown = { ...query, spaceId: 'ffffffff-1111-0111-0111-111111111111' };
  const response = await post({ queries: [query, unknown, { ...query, after: 3 }] });
  expect(calendarsResponse.parse(await response.json()).results).toEqual([
    { version: 3, slots: [{ startAt: FROM, endAt: TO }] },
    null,
    { version: 3, slots: null },
  ]);
  expect(await metrics.metrics()).toMatch(/spacerent_free_slots_computed_total(\{.*\})? 1\n/);
});

test.each([
  ['without queries', {}],
  ['with an instant that is none', { queries: [{ ...query, from: 'tomorrow' }] }],
  ['with too many queries', { queries: Array(MAX_CALENDAR_QUERIES + 1).fill(query) }],
])('a request %s is refused with 400', async (_name, body) => {
  const { post } = await openEndpoint();
  expect((await post(body)).status).toBe(400);
});
