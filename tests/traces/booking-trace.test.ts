import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer, sql } from '../support/customer.ts';
import { liveClients } from '../support/live-clients.ts';
import { MY_BOOKING_STATUSES, unsubscribeAll, watch } from '../support/status-subscriptions.ts';
import { eventually, type System, until } from '../support/system.ts';
import { connectedSpans, namesOf, withoutParent } from './connected-spans.ts';
import {
  bookTraced,
  METRICS_TOKEN,
  startTracedSystem,
  type TracedSystem,
} from './traced-system.ts';

const START_MS = 300_000;
/** A client's own trace, which asks for its export. */
const CLIENTS_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PAYMENT_METHOD = 'pm_ok';

describe('the trace of a booking', () => {
  let traced: TracedSystem;
  beforeAll(async () => {
    traced = await startTracedSystem({
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test%20rig',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=a-key-of-the-collector',
    });
  }, START_MS);
  afterAll(async () => {
    unsubscribeAll();
    await traced.stop();
  });

  test('one booking gives one connected trace from the router to the live subscriber', async () => {
    const { system, receiver } = traced;
    const space = await listSpace(system);
    const kim = await newCustomer(system, 'customer-kim-of-the-traces');
    const { views } = watch(liveClients[0] as never, system, kim.token, MY_BOOKING_STATUSES);
    await until('the subscription is open', () =>
      receiver.spans.some(({ name }) => name === 'subscription'),
    );
    const { bookingId, traceId } = await bookTraced(
      system,
      { token: kim.token, spaceId: space.id, paymentMethod: PAYMENT_METHOD },
      { traceparent: `00-${CLIENTS_TRACE}-00f067aa0ba902b7-01` },
    );
    await kim.waitForStatus(bookingId, 'REGISTERED');
    await until('the subscriber is notified', () =>
      views.some((view) => view.bookingId === bookingId && view.status === 'REGISTERED'),
    );

    await eventually(async () => {
      const spans = connectedSpans(receiver.spans, traceId);
      expect(namesOf(spans)).toEqual(
        expect.arrayContaining([
          'router: mutation',
          'router: fetch book',
          'router: live event',
          'book: POST /graphql',
          'book: booking-request',
          'book: create Booked',
          'book: request payment',
          'book: send events',
          'book: process registration.book',
          'payment: POST /graphql',
          'payment: SELECT payment',
          'payment: provider charge',
          'payment: create PaymentApproved',
          'space: process payment-approved.space',
          'space: create Registered',
          'mypage: process booking.mypage',
          'mypage: process registration.mypage',
          'mypage: project views',
        ]),
      );
      expect(withoutParent(spans)).toEqual([]);
    });
    const ofRequest = receiver.spans.filter((span) => span.traceId === traceId);
    const [root, ...others] = ofRequest.filter((span) => span.parentSpanId === undefined);
    expect(others).toEqual([]);
    expect(root).toMatchObject({ service: 'router', name: 'mutation', isFailed: false });
    expect(root?.links).toEqual([{ traceId: CLIENTS_TRACE, spanId: '00f067aa0ba902b7' }]);
    expect(receiver.spans.filter((span) => span.traceId === CLIENTS_TRACE)).toEqual([]);
    expect(ofRequest.map(({ service }) => service)).toEqual(
      expect.arrayContaining(['router', 'book', 'payment', 'space', 'mypage']),
    );
    expect(ofRequest.filter(({ isFailed }) => isFailed)).toEqual([]);
  }, 120_000);

  test('exports have the headers and resource attributes of the settings, and nothing of customers', () => {
    const { bodies, headers } = traced.receiver;
    expect(headers.every((each) => each['x-api-key'] === 'a-key-of-the-collector')).toBe(true);
    const text = bodies.join('\n');
    expect(text).toContain('"test rig"');
    for (const secret of ['customer-kim', PAYMENT_METHOD, 'INSERT INTO', 'eyJ']) {
      expect(text).not.toContain(secret);
    }
  });

  test('log lines of a request name its trace', async () => {
    const { system } = traced;
    const { headers } = await system.graphql(null, '{ __typename }');
    const id = String(headers.get('x-correlation-id'));
    await eventually(async () => {
      const line = system
        .logOf('router')
        .split('\n')
        .find((each) => each.includes(id));
      expect(JSON.parse(String(line))).toMatchObject({
        correlationId: id,
        trace_id: id.replaceAll('-', ''),
        span_id: expect.stringMatching(/^[\da-f]{16}$/),
      });
    });
  });

  test('an event of the outbox without a traceparent is processed, in a trace of its own', async () => {
    const { system, receiver } = traced;
    const space = await listSpace(system);
    const id = randomUUID();
    // As a release without traces stores it.
    await sql(
      system,
      'space',
      `INSERT INTO outbox (id, aggregate_id, version, topic, type, schema_version, payload, correlation_id,
                           occurred_at, awaiting, attempts, next_attempt_at)
       SELECT $1, aggregate_id, version + 1, topic, type, schema_version, payload, correlation_id,
              now(), '{book,mypage}', 0, now()
         FROM outbox WHERE aggregate_id = $2`,
      [id, space.id],
    );
    await until('all consumers have acknowledged it', async () => {
      const [row] = await sql(system, 'space', 'SELECT awaiting FROM outbox WHERE id = $1', [id]);
      return row.awaiting.length === 0;
    });
    await eventually(async () => {
      const spans = receiver.spans.filter(
        ({ attributes }) => attributes['messaging.message.id'] === id,
      );
      expect(namesOf(spans)).toEqual(['book: process space.book', 'mypage: process space.mypage']);
      for (const span of spans) expect(span).toMatchObject({ parentSpanId: undefined, links: [] });
    });
  });

  test('bookings go on while the collector refuses or does not respond, and lost spans are counted', async () => {
    const { system, receiver } = traced;
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const request = { token: kim.token, spaceId: space.id, paymentMethod: PAYMENT_METHOD };
    for (const behaviour of ['refuse', 'hang'] as const) {
      receiver.behave(behaviour);
      const { bookingId } = await bookTraced(system, request);
      await kim.waitForStatus(bookingId, 'REGISTERED');
    }
    await until('lost spans are counted', async () => (await lostSpans(system, 'book')) > 0, 30);
    expect(system.logOf('book')).toContain('the collector does not take them');
    receiver.behave('accept');
    const { traceId } = await bookTraced(system, request);
    await until('spans are exported again', () =>
      receiver.spans.some((span) => span.traceId === traceId && span.service === 'book'),
    );
    receiver.behave('hang');
    await bookTraced(system, request);
    // `afterAll` stops the system, which must not wait for the collector.
  }, 120_000);
});

async function lostSpans(system: System, service: string): Promise<number> {
  const url = `${system.instance().services[service]?.url}/metrics`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  const sample = /^spacerent_trace_spans_dropped_total\{[^}]*reason="export"[^}]*\} (\d+)$/m;
  return Number(sample.exec(await response.text())?.[1]);
}
