import { Payment, type PaymentRequest } from '../domain/payment.ts';
import type { Charge, PaymentPorts } from '../ports.ts';

/**
 * Takes the money for a booking, at most once: asked again, it answers with what happened. A
 * rejection means that the outcome is unknown; the payment stays PENDING and may be asked again.
 */
export async function approvePayment(
  ports: PaymentPorts,
  request: PaymentRequest,
): Promise<Payment> {
  const { payments, provider } = ports;
  const { payment, isNew } = await payments.request(
    Payment.request(request, {
      id: ports.newId(),
      now: ports.clock(),
      correlationId: ports.correlationId(),
    }),
  );
  if (payment.settled) return payment;

  // An earlier call may have taken the money and lost the reply: ask before charging again.
  const before = isNew ? null : await provider.find(payment.state.bookingId);
  const charge =
    before ??
    (await provider.charge({
      key: payment.state.bookingId,
      amount: payment.state.amount,
      currency: payment.state.currency,
      paymentMethod: payment.state.paymentMethod,
    }));
  return recordCharge(ports, payment, charge);
}

/** Writes down what the provider did. */
export async function recordCharge(
  ports: PaymentPorts,
  payment: Payment,
  charge: Charge,
): Promise<Payment> {
  const { bookingId } = payment.state;
  const next =
    charge.outcome === 'approved' ? payment.approve(ports.clock()) : payment.decline(charge.reason);
  if (!(next instanceof Payment)) return payment;
  const news = charge.outcome === 'approved' ? 'PaymentApproved' : 'PaymentDeclined';
  if ((await ports.payments.save(payment, next, news)) === 'stale') {
    // Another call recorded the same charge first.
    return (await ports.payments.findByBooking(bookingId)) ?? payment;
  }
  ports.log(`payment ${charge.outcome}`, { bookingId, paymentId: next.state.id });
  return next;
}

/** What became of a booking's payment, by our own books and, where they are open, the provider's. */
export async function paymentOutcome(
  ports: PaymentPorts,
  bookingId: string,
): Promise<Payment | null> {
  const payment = await ports.payments.findByBooking(bookingId);
  if (!payment || payment.settled) return payment;
  const charge = await ports.provider.find(bookingId);
  return charge ? recordCharge(ports, payment, charge) : payment;
}
