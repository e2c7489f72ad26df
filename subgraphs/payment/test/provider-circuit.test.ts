import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { silent } from '../../../tests/support/database.ts';
import { backgroundWork } from '../src/adapters/background.ts';
import { type ProviderCircuit, providerCircuit } from '../src/adapters/provider-circuit.ts';
import { sandboxProvider } from '../src/adapters/sandbox-provider.ts';
import { approvePayment, paymentOutcome } from '../src/application/approve-payment.ts';
import { type PaymentPorts, type PaymentProvider, ProviderUnavailable } from '../src/ports.ts';
import { aRequest, openPayments, type RealPayments } from './real-payments.ts';

let real: RealPayments;
const opened: ProviderCircuit[] = [];

beforeAll(async () => {
  real = await openPayments();
});
afterAll(async () => {
  for (const circuit of opened) circuit.close();
  await real?.close();
});

function behindCircuit(provider: PaymentProvider) {
  const metrics = new Registry();
  const circuit = providerCircuit('sandbox', provider, metrics, silent);
  opened.push(circuit);
  const ports: PaymentPorts = { ...real.ports, provider: circuit };
  return { ports, metrics: () => metrics.metrics() };
}
const OPEN = /spacerent_provider_circuit\{provider="sandbox",state="open"\} 1/;
const dead = () => Promise.reject(new ProviderUnavailable('connection refused'));

describe('the circuit of a provider', () => {
  test.each(['pm_busy', 'pm_timeout_unpaid'])(
    'stays closed while one customer pays thirty times with %s, and others pay',
    async (paymentMethod) => {
      const { ports, metrics } = behindCircuit(real.ports.provider);
      const rude = Array.from({ length: 30 }, () => aRequest({ paymentMethod }));
      const answers = await Promise.all(rude.map((request) => approvePayment(ports, request)));
      for (const { state } of answers) expect(state.status).toBe('PENDING');
      expect(await metrics()).not.toMatch(OPEN);
      expect((await approvePayment(ports, aRequest())).state.status).toBe('APPROVED');
    },
  );

  test('finds out by itself that a charge without a response was made', async () => {
    const { ports } = behindCircuit(real.ports.provider);
    const request = aRequest({ paymentMethod: 'pm_timeout_paid' });
    expect((await approvePayment(ports, request)).state.status).toBe('APPROVED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
  });

  test('stays closed while refunds are refused', async () => {
    const { ports, metrics } = behindCircuit(real.ports.provider);
    for (let turn = 0; turn < 30; turn += 1) {
      await expect(ports.provider.refund(`none-${turn}`, 'key', 1)).rejects.toThrow('amount left');
    }
    expect(await metrics()).not.toMatch(OPEN);
  });

  test('opens when the provider itself is away, and payments are pending at once', async () => {
    let calls = 0;
    const { ports, metrics } = behindCircuit({
      ...real.ports.provider,
      charge: () => {
        calls += 1;
        return dead();
      },
      find: dead,
    });
    for (let turn = 0; turn < 20; turn += 1) {
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

describe('a payment that the provider takes longer for than a request may wait', () => {
  test('is pending, goes on, is charged by one call alone, and is recorded', async () => {
    let calls = 0;
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const background = backgroundWork(50, () => {});
    const sandbox = sandboxProvider(real.pool, 40);
    const ports: PaymentPorts = {
      ...real.ports,
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
    // As another process would see it.
    const elsewhere = { ...ports, underWay: new Map() };
    expect((await approvePayment(elsewhere, request)).state.status).toBe('PENDING');
    expect(calls).toBe(1);
    finish();
    await background.drain(10_000);
    expect((await paymentOutcome(ports, request.bookingId))?.state.status).toBe('APPROVED');
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved']);
    expect(calls).toBe(1);
  });
});
