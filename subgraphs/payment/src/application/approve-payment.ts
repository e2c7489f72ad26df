import { Payment, type PaymentRequest } from '../domain/payment.ts';
import { type Charge, ChargeUndecided, type PaymentPorts, ProviderUnavailable } from '../ports.ts';

/**
 * Takes the money for a booking, at most once: asked again, it responds with what happened. Without
 * a decision of the provider the payment stays PENDING and may be asked for again; that is a
 * response, not a failure, because it says nothing about anybody else's payment.
 */
export async function approvePayment(
  ports: PaymentPorts,
  request: PaymentRequest,
): Promise<Payment> {
  const { payment, isNew } = await ports.payments.request(
    Payment.request(request, {
      id: ports.newId(),
      now: ports.clock(),
      correlationId: ports.correlationId(),
    }),
  );
  if (payment.settled) return payment;
  return isNew ? charge(ports, payment) : chargeAgain(ports, payment);
}

/** What became of a booking's payment, by our own books and, where they are open, the provider's. */
export async function paymentOutcome(
  ports: PaymentPorts,
  bookingId: string,
): Promise<Payment | null> {
  const payment = await ports.payments.findByBooking(bookingId);
  return payment && lookUpCharge(ports, payment);
}

/** An earlier call may have taken the money and lost the response: look before charging again. */
async function chargeAgain(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  const found = await lookUpCharge(ports, payment);
  if (found.settled) return found;
  // Never two calls for one key at once: providers refuse that, or worse.
  if (await ports.payments.claimCharge(payment.state.id)) return charge(ports, payment);
  return ports.underWay.get(payment.state.bookingId) ?? payment;
}

async function lookUpCharge(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  if (payment.settled) return payment;
  try {
    const known = await ports.provider.find(payment.state.bookingId);
    return known ? await recordCharge(ports, payment, known) : payment;
  } catch (error) {
    return undecided(ports, payment, error);
  }
}

/** Charges a payment that is leased to this process. */
async function charge(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  const { bookingId } = payment.state;
  const work = chargeOnce(ports, payment);
  ports.underWay.set(bookingId, work);
  try {
    return await work;
  } finally {
    if (ports.underWay.get(bookingId) === work) ports.underWay.delete(bookingId);
  }
}

async function chargeOnce(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  const { id, bookingId, amount, currency, paymentMethod } = payment.state;
  try {
    const done = await ports.provider.charge({ key: bookingId, amount, currency, paymentMethod });
    return await recordCharge(ports, payment, done);
  } catch (error) {
    await ports.payments.releaseCharge(id);
    return undecided(ports, payment, error);
  }
}

function undecided(ports: PaymentPorts, payment: Payment, error: unknown): Payment {
  if (!(error instanceof ProviderUnavailable || error instanceof ChargeUndecided)) throw error;
  const { bookingId } = payment.state;
  ports.log.info('payment undecided', { bookingId, reason: error.message });
  return payment;
}

/** Writes down what the provider did. The store does not publish an approval of what is owed back. */
export async function recordCharge(
  ports: PaymentPorts,
  payment: Payment,
  done: Charge,
): Promise<Payment> {
  const { bookingId } = payment.state;
  const next =
    done.outcome === 'approved' ? payment.approve(ports.clock()) : payment.decline(done.reason);
  if (!(next instanceof Payment)) return payment;
  const event = done.outcome === 'approved' ? 'PaymentApproved' : 'PaymentDeclined';
  if ((await ports.payments.save(payment, next, event)) === 'stale') {
    // Another call recorded the same charge first.
    return (await ports.payments.findByBooking(bookingId)) ?? payment;
  }
  ports.log.info(`payment ${done.outcome}`, { bookingId, paymentId: next.state.id });
  return next;
}
