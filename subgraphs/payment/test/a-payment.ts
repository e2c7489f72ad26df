import { expect } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentStore } from '../src/ports.ts';
import { aRequest } from './payment-context.ts';

export const creation = () => ({
  id: uuidv7(),
  now: new Date('2030-05-01T00:00:00Z'),
  correlationId: 'c1',
});
export const aPayment = (changes: Partial<PaymentRequest> = {}) =>
  Payment.request(aRequest(changes), creation());
export const aTombstone = (payment: Payment) => Payment.tombstone(payment.state, creation());

/** The payment after a transition that must be legal. */
export function legal<T>(result: Payment | T): Payment {
  if (result instanceof Payment) return result;
  throw new Error(`illegal: ${JSON.stringify(result)}`);
}

/** Stores a new payment, whose charge is leased to the test. */
export async function createPayment(
  store: PaymentStore,
  changes: Partial<PaymentRequest> = {},
): Promise<Payment> {
  const payment = aPayment(changes);
  expect(await store.create(payment)).toMatchObject({ isNew: true });
  return payment;
}
