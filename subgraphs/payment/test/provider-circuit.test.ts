import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { silent } from '../../../tests/support/database.ts';
import { backgroundWork } from '../src/adapters/background.ts';
import { type ProviderCircuit, providerCircuit } from '../src/adapters/provider-circuit.ts';
import { sandboxProvider } from '../src/adapters/sandbox-provider.ts';
import { approvePayment, paymentOutcome } from '../src/application/approve-payment.ts';
import { type PaymentPorts, type PaymentProvider, ProviderUnavailable } from '../src/ports.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
const opened: ProviderCircuit[] = [];

beforeAll(async () => {
  context = await openPaymentContext();
});
afterAll(async () => {
  for (const circuit of opened) circuit.close();
  await context?.close();
});

function behindCircuit(provider: PaymentProvider) {
  const metrics = new Registry();
  const circuit = providerCircuit('sandbox', provider, metrics, silent);
  opened.push(circuit);
  const ports: PaymentPorts = { ...context.ports, provider: circuit };
  return { ports, metrics: () => metrics.metrics() };
}
const OPEN = /spacerent_provider_circuit\{provider="sandbox",state="open"\} 1/;
const unavailable = () => Promise.reject(new ProviderUnavailable('connection refused'));

describe('the circuit breaker of a provider', () => {
  test.each(['pm_busy', 'pm_timeout_unpaid'])(
    'the circuit stays closed while one customer pays thirty times with %s, and others can pay',
    async (paymentMethod) => {
      const { ports, metrics } = behindCircuit(context.ports.provider);
      const requests = Array.from({ length: 30 }, () => aRequest({ paymentMethod }));
      const results = await Promise.all(requests.map((request) => approvePayment(ports, request)));
      for (const { state } of results) expect(state.status).toBe('PENDING');
      expect(await metrics()).not.toMatch(OPEN);
      expect((await approvePayment(ports, aRequest())).state.status).toBe('APPROVED');
    },
  );

  test('the circuit looks up a charge without a response and finds that it was made', async () => {
    const { ports } = behindCircuit(context.ports.provider);
    const request = aRequest({ paymentMethod: 'pm_timeout_paid' });
    expect((await approvePayment(ports, request)).state.status).toBe('APPROVED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
  });

  test('the circuit stays closed while refunds are refused', async () => {
    const { ports, metrics } = behindCircuit(context.ports.provider);
    for (let count = 0; count < 30; count += 1) {
      await expect(ports.provider.refund(`none-${count}`, 'key', 1)).rejects.toThrow('amount left');
    }
    expect(await metrics()).not.toMatch(OPEN);
  });

  test('the circuit opens when the provider is unavailable, and payments are pending at once', async () => {
    let calls = 0;
    const { ports, metrics } = behindCircuit({
      ...context.ports.provider,
      charge: () => {
        calls += 1;
        return unavailable();
      },
      find: unavailable,
    });
    for (let count = 0; count < 20; count += 1) {
      expect((await approvePayment(ports, aRequest())).state.status).toBe('PENDING');
    }
    expect(await metrics()).toMatch(OPEN);
    const before = calls;
    const request = aRequest();
    expect((await approvePayment(ports, request)).state.status).toBe('PENDING');
    expect((await paymentOutcome(ports, request.bookingId))?.state.status).toBe('PENDING');
    expect(calls).toBe(before);
  });
});

describe('charges that outlast their request', () => {
  test('a slow charge is pending for its request, continues in one call alone, and is recorded', async () => {
    let calls = 0;
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const background = backgroundWork(50, () => {});
    const sandbox = sandboxProvider(context.pool, 40);
    const ports: PaymentPorts = {
      ...context.ports,
      background,
      provider: {
        ...sandbox,
        async charge(charge) {
          calls += 1;
          await finished;
          return sandbox.charge(charge);
        },
      },
    };
    const request = aRequest();
    expect(await background.within(approvePayment(ports, request))).toBe('undecided');
    expect(await background.within(approvePayment(ports, request))).toBe('undecided');
    // Another process does not share the map of charges.
    const otherProcess = { ...ports, chargesInProgress: new Map() };
    expect((await approvePayment(otherProcess, request)).state.status).toBe('PENDING');
    expect(calls).toBe(1);
    finish();
    await background.drain(10_000);
    expect((await paymentOutcome(ports, request.bookingId))?.state.status).toBe('APPROVED');
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentApproved']);
    expect(calls).toBe(1);
  });
});
