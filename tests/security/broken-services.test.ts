import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from '../support/customer.ts';
import { describeSystems, type System, until } from '../support/system.ts';
import { leaksOf } from './fuzzing/response-rules.ts';
import { startOwnRouter } from './own-router.ts';
import { askOver, protocols } from './protocols.ts';

const MASKED = ['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE'];

describeSystems('a service that does not respond', (system) => {
  let impatient: System;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const own = await startOwnRouter(system, 'impatient-router', {
      SUBGRAPH_TIMEOUT_MS: '500',
    });
    stop = own.stop;
    impatient = own.router;
  });
  afterAll(() => stop());

  const pidOf = (service: string) => Number(system.instance().services[service]?.pid);

  /** What is said in every protocol while the service is out of order; none of it tells of the inside. */
  async function saidWithout(query: string, token: string | null) {
    const leaks = leaksOf(impatient);
    for (const protocol of Object.keys(protocols)) {
      const { codes, text } = await askOver(protocol, impatient, { query }, token);
      expect(codes.length).toBeGreaterThan(0);
      for (const code of codes) expect(MASKED).toContain(code);
      expect(text).toContain('correlationId');
      expect(leaks(text)).toEqual([]);
    }
  }

  test('a frozen service causes errors that reveal nothing internal', async () => {
    const pid = pidOf('space');
    process.kill(pid, 'SIGSTOP');
    try {
      await saidWithout('{ spaces { edges { node { name } } } }', null);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  test('a dead service causes errors that reveal nothing internal, and restarts', async () => {
    const { token } = await newCustomer(system);
    const pid = pidOf('mypage');
    process.kill(pid, 'SIGKILL');
    const query = '{ myPage { bookings { edges { cursor } } } }';
    const { codes, text } = await askOver('POST', impatient, { query }, token);
    for (const code of codes) expect(MASKED).toContain(code);
    expect(leaksOf(impatient)(text)).toEqual([]);
    await until('mypage is back', async () => pidOf('mypage') !== pid && pidOf('mypage') > 0, 30);
    await until(
      'mypage answers',
      async () => (await askOver('POST', system, { query }, token)).codes.length === 0,
      30,
    );
  });

  test('a booking is registered and shown after services were broken', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.viewAt(booking.id, 'REGISTERED', 30);
  });
});
