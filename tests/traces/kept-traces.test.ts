import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer } from '../support/customer.ts';
import { eventually, until } from '../support/system.ts';
import { namesOf } from './connected-spans.ts';
import { bookTraced, startTracedSystem, type TracedSystem } from './traced-system.ts';

const START_MS = 300_000;
const READ_PAGE = '{ myPage { bookings(first: 1) { edges { node { bookingId } } } } }';

describe('a share of 0 of the traces', () => {
  let traced: TracedSystem;
  beforeAll(async () => {
    traced = await startTracedSystem({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
      // However slow the machine is.
      TRACE_SLOW_MS: '600000',
    });
  }, START_MS);
  afterAll(() => traced.stop());

  const spansOf = (traceId: string) =>
    traced.receiver.spans.filter((span) => span.traceId === traceId);

  test('a booking whose payment does not respond is exported, and one without a failure is not', async () => {
    const { system } = traced;
    const space = await listSpace(system);
    const { token } = await newCustomer(system);
    const paid = await bookTraced(
      system,
      { token, spaceId: space.id, paymentMethod: 'pm_ok' },
      // A client cannot make its request exported.
      { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    );
    const late = await bookTraced(system, {
      token,
      spaceId: space.id,
      paymentMethod: 'pm_timeout_paid',
    });
    await eventually(async () => {
      expect(namesOf(spansOf(late.traceId))).toEqual(
        expect.arrayContaining(['book: POST /graphql', 'book: request payment']),
      );
    });
    const failed = spansOf(late.traceId).filter(({ isFailed }) => isFailed);
    expect(namesOf(failed)).toContain('book: request payment');
    expect(spansOf(paid.traceId)).toEqual([]);
  });

  test('a request to a subgraph that is down is exported by the router', async () => {
    const { system } = traced;
    const { token } = await newCustomer(system);
    const { pid } = system.instance().services.mypage ?? {};
    process.kill(Number(pid), 'SIGKILL');
    const failed = await until('a request fails', async () => {
      const response = await system.graphql(token, READ_PAGE);
      return response.errors && response;
    });
    const traceId = String(failed.headers.get('x-correlation-id')).replaceAll('-', '');
    await eventually(async () => {
      const spans = spansOf(traceId).filter(({ isFailed }) => isFailed);
      expect(namesOf(spans)).toEqual(['router: fetch mypage', 'router: query']);
    });
    await until(
      'mypage responds again',
      async () => {
        return (await system.graphql(token, READ_PAGE)).errors === undefined;
      },
      60,
    );
  }, 120_000);
});
