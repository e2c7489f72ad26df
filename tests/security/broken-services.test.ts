import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';
import { leakFinder } from './fuzzing/response-rules.ts';
import { startOwnRouter } from './own-router.ts';
import { executeOver, protocols } from './protocols.ts';

const MASKED = ['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE'];

describeSystems('a service that does not respond', (system) => {
  let router: System;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const own = await startOwnRouter(system, 'short-timeout-router', {
      SUBGRAPH_TIMEOUT_MS: '500',
    });
    stop = own.stop;
    router = own.router;
  });
  afterAll(() => stop());

  const readPid = (service: string) => Number(system.instance().services[service]?.pid);

  /** Expects masked errors without internal details in every protocol, while the service is broken. */
  async function expectMaskedErrors(query: string, token: string | null) {
    const leaksIn = leakFinder(router);
    for (const protocol of Object.keys(protocols)) {
      const { codes, text } = await executeOver(protocol, router, { query }, token);
      expect(codes.length).toBeGreaterThan(0);
      for (const code of codes) expect(MASKED).toContain(code);
      expect(text).toContain('correlationId');
      expect(leaksIn(text)).toEqual([]);
    }
  }

  test('a frozen service causes errors that reveal nothing internal', async () => {
    const pid = readPid('space');
    process.kill(pid, 'SIGSTOP');
    try {
      await expectMaskedErrors('{ spaces { edges { node { name } } } }', null);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  test('a dead service causes errors that reveal nothing internal, and restarts', async () => {
    const { token } = await newCustomer(system);
    const pid = readPid('mypage');
    process.kill(pid, 'SIGKILL');
    const query = '{ myPage { bookings { edges { cursor } } } }';
    const { codes, text } = await executeOver('POST', router, { query }, token);
    for (const code of codes) expect(MASKED).toContain(code);
    expect(leakFinder(router)(text)).toEqual([]);
    await until(
      'mypage is back',
      async () => readPid('mypage') !== pid && readPid('mypage') > 0,
      30,
    );
    await until(
      'mypage responds',
      async () => (await executeOver('POST', system, { query }, token)).codes.length === 0,
      30,
    );
  });

  test('a booking is registered and shown after services were broken', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForStatus(booking.id, 'REGISTERED', 30);
  });
});
