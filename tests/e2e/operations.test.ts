import { expect, test } from '@jest/globals';
import { contextNames } from '#contracts/topology.ts';
import { listSpace, newCustomer, nextSlot, REQUEST_BOOKING } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';

async function isReady(system: System, service: string): Promise<boolean> {
  const { url } = system.instance().services[service] as { url: string };
  return fetch(`${url}/health/ready`).then(
    (response) => response.ok,
    () => false,
  );
}

/** Has book received the event of the space? It may have restarted a moment ago. */
async function isKnownToBook(system: System, spaceId: string): Promise<boolean> {
  const { data } = await system.graphql(
    null,
    `query ($id: ID!, $from: DateTime!, $to: DateTime!) {
       space(id: $id) { freeSlots(from: $from, to: $to) { startAt } } }`,
    { id: spaceId, from: '2031-01-01T00:00:00Z', to: '2031-01-02T00:00:00Z' },
  );
  return Boolean(data.space?.freeSlots);
}

describeSystems('operations', (system) => {
  test('every service is alive and ready', async () => {
    for (const service of ['router', ...contextNames]) {
      expect(await isReady(system, service)).toBe(true);
      const { url } = system.instance().services[service] as { url: string };
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    }
  });

  test('the correlation id of the router is returned to the client and logged by every service', async () => {
    const clientId = `test-${Date.now()}-${Math.random().toString(36).slice(2)}`;
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const input = {
      idempotencyKey: clientId,
      spaceId: space.id,
      slot: nextSlot(),
      paymentMethod: 'pm_ok',
    };
    const response = await system.graphql(
      kim.token,
      REQUEST_BOOKING,
      { input },
      {
        'x-correlation-id': clientId,
      },
    );
    const id = String(response.headers.get('x-correlation-id'));
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const bookingId = response.data.requestBooking.booking.id;
    await kim.waitForStatus(bookingId, 'REGISTERED');
    for (const service of contextNames) {
      await until(`${service} logs ${id}`, async () =>
        system
          .logOf(service)
          .split('\n')
          .some((line) => line.includes(id) && line.includes(bookingId)),
      );
    }
    // Only the router logs the correlation id of the client.
    await until('the router logs both', async () =>
      system
        .logOf('router')
        .split('\n')
        .some((line) => line.includes(id) && line.includes(`"clientCorrelationId":"${clientId}"`)),
    );
    for (const service of contextNames) {
      expect([service, system.logOf(service).includes(clientId)]).toEqual([service, false]);
    }
  });

  test('a correlation id that could forge log lines is replaced', async () => {
    const response = await system.graphql(null, '{ __typename }', undefined, {
      'x-correlation-id': 'a{"level":"fatal"}',
    });
    expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a booking succeeds while space is down, and is registered after space restarts', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    // Book must know the space before: it cannot fetch it while space is down.
    await kim.waitForStatus((await kim.request(space.id)).booking.id, 'REGISTERED');
    const before = system.instance().services.space?.pid as number;
    process.kill(before, 'SIGKILL');
    const response = await system.graphql(
      kim.token,
      `mutation ($input: RequestBookingInput!) { requestBooking(input: $input) {
         ... on RequestBookingSuccess { booking { id status payment { status } registration { status } } } } }`,
      {
        input: {
          idempotencyKey: `${Math.random()}`,
          spaceId: space.id,
          slot: nextSlot(),
          paymentMethod: 'pm_ok',
        },
      },
    );
    const { booking } = response.data.requestBooking;
    expect(booking).toMatchObject({ payment: { status: 'APPROVED' } });
    await kim.waitForStatus(booking.id, 'REGISTERED', 25);
    expect(system.instance().services.space?.pid).not.toBe(before);
    await until('space is ready again', () => isReady(system, 'space'));
  }, 60_000);

  test.each(contextNames)(
    'the service %s stops cleanly on SIGTERM and is restarted',
    async (name) => {
      const before = system.instance().services[name]?.pid as number;
      process.kill(before, 'SIGTERM');
      await until(
        `${name} is another process`,
        async () => {
          const { pid } = system.instance().services[name] as { pid: number | null };
          return pid && pid !== before && (await isReady(system, name));
        },
        30,
      );
      expect(system.logOf(name)).toContain('"msg":"stopped"');
      const space = await listSpace(system);
      await until('book knows the space', () => isKnownToBook(system, space.id), 30);
      const kim = await newCustomer(system);
      const { booking } = await kim.request(space.id);
      await kim.waitForStatus(booking.id, 'REGISTERED');
    },
    60_000,
  );
});
