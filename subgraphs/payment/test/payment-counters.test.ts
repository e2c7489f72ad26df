import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { paymentCounters } from '../src/adapters/payment-counters.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { chargeChange } from '../src/application/charge-change.ts';
import { refundChange } from '../src/application/refund-change.ts';
import { resolveRefund } from '../src/application/resolve-refund.ts';
import { retryDueRefunds } from '../src/application/retry-due-refunds.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aChange, aCharge } from './a-change.ts';
import { finishRefunds, giveBack } from './a-goodwill.ts';
import {
  aRequest,
  MAX_REFUND_ATTEMPTS,
  openPaymentContext,
  type PaymentContext,
} from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;
const metrics = new Registry();

beforeAll(async () => {
  context = await openPaymentContext();
  ports = paymentCounters(metrics)(context.ports);
});
afterAll(() => context?.close());

/** Every sample that is not 0, without the prefix of all names. */
async function counted(): Promise<Record<string, number>> {
  const samples = (await metrics.metrics())
    .split('\n')
    .flatMap((line) => /^spacerent_(\S+) ([1-9]\d*)$/.exec(line)?.slice(1) ?? []);
  return Object.fromEntries(
    samples.flatMap((name, index) => (index % 2 ? [] : [[name, Number(samples[index + 1])]])),
  );
}

const cancel = (request: PaymentRequest, refund: number) =>
  cancelPayment(ports, { eventId: uuidv7(), booking: request, refund });

test('the counters show what the provider has charged and refunded, each once however often it is requested', async () => {
  const booked = aRequest();
  for (let n = 0; n < 3; n += 1) await approvePayment(ports, booked);
  await approvePayment(ports, aRequest({ paymentMethod: 'pm_declined' }));
  await chargeChange(ports, aCharge(booked, 5_000));
  const cheaper = aChange(booked, -2_000);
  for (let n = 0; n < 2; n += 1) await refundChange(ports, cheaper);
  await giveBack(ports, booked, 3_000);
  await cancel(booked, 40_000);

  const refused = aRequest({ paymentMethod: 'pm_refund_fails' });
  await approvePayment(ports, refused);
  await giveBack(ports, refused, 1_000);
  await finishRefunds({ ...context, ports });
  await cancel(refused, 20_000);
  for (let n = 1; n < MAX_REFUND_ATTEMPTS; n += 1) {
    await context.makeRefundsDue();
    await retryDueRefunds(ports);
  }

  const { charged, refunded } = (await sums()) as { charged: number; refunded: number };
  expect([charged, refunded]).toEqual([125_000, 45_000]);
  const before = {
    'payments_total{status="PENDING"}': 3,
    'payments_total{status="APPROVED"}': 2,
    'payments_total{status="DECLINED"}': 1,
    'payments_total{status="PARTIALLY_REFUNDED"}': 1,
    'payments_total{status="REFUND_FAILED"}': 1,
    'charged_minor_units_total{currency="KRW"}': charged,
    'refunded_minor_units_total{currency="KRW"}': refunded,
    'refunds_total{kind="cancellation",outcome="completed"}': 1,
    'refunds_total{kind="change",outcome="completed"}': 1,
    'refunds_total{kind="goodwill",outcome="completed"}': 1,
    'refunds_total{kind="cancellation",outcome="failed"}': 1,
    'refunds_total{kind="goodwill",outcome="failed"}': 1,
  };
  expect(await counted()).toEqual(before);

  const decision = { operatorId: 'op', reason: 'by bank transfer' };
  await resolveRefund(ports, refused.bookingId, 'SETTLED_OUTSIDE', decision);
  expect(await counted()).toEqual({
    ...before,
    'payments_total{status="PARTIALLY_REFUNDED"}': 2,
    'refunded_minor_units_total{currency="KRW"}': refunded + 20_000,
    'refunds_total{kind="cancellation",outcome="completed"}': 2,
  });
});

/** What the provider's own tables say of all accounts together. */
async function sums() {
  const [row] = await context.query(
    `SELECT (SELECT sum(amount)::int FROM sandbox_charge WHERE outcome = 'APPROVED') AS charged,
            (SELECT sum(amount)::int FROM sandbox_refund) AS refunded`,
  );
  return row;
}
