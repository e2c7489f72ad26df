import { Payment, type PaymentRequest } from '../domain/payment.ts';
import { type Charge, ChargeUndecided, type PaymentPorts, ProviderUnavailable } from '../ports.ts';

/**
 * Charges a booking at most once; a repeated request gets the stored outcome. Without a decision of the
 * provider the payment stays PENDING and may be requested again. That is a response, not a failure: it
 * says nothing about other payments.
 */
export async function approvePayment(
  ports: PaymentPorts,
  request: PaymentRequest,
): Promise<Payment> {
  const { payment, isNew } = await ports.payments.create(
    Payment.request(request, {
      id: ports.newId(),
      now: ports.clock(),
      correlationId: ports.correlationId(),
    }),
  );
  if (payment.isDecided) return payment;
  return isNew ? charge(ports, payment) : chargeAgain(ports, payment);
}

/** The payment of a booking; if it is pending, its charge is looked up at the provider. */
export async function paymentOutcome(
  ports: PaymentPorts,
  bookingId: string,
): Promise<Payment | null> {
  const payment = await ports.payments.findByBooking(bookingId);
  return payment && lookUpCharge(ports, payment);
}

/** An earlier call may have made the charge and lost the response: look it up before charging again. */
async function chargeAgain(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  const found = await lookUpCharge(ports, payment);
  if (found.isDecided) return found;
  // Never two calls for one key at once: a provider may refuse the second, or charge twice.
  if (await ports.payments.claimCharge(payment.state.id)) return charge(ports, payment);
  return ports.chargesInProgress.get(payment.state.bookingId) ?? payment;
}

async function lookUpCharge(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  if (payment.isDecided) return payment;
  try {
    const found = await ports.provider.find(payment.state.bookingId);
    return found ? await recordCharge(ports, payment, found) : payment;
  } catch (error) {
    return undecided(ports, payment, error);
  }
}

/** Charges a payment that is leased to this process. */
async function charge(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  const { bookingId } = payment.state;
  const work = chargeOnce(ports, payment);
  ports.chargesInProgress.set(bookingId, work);
  try {
    return await work;
  } finally {
    if (ports.chargesInProgress.get(bookingId) === work) ports.chargesInProgress.delete(bookingId);
  }
}

async function chargeOnce(ports: PaymentPorts, payment: Payment): Promise<Payment> {
  const { id, bookingId, amount, currency, paymentMethod } = payment.state;
  try {
    const charged = await ports.provider.charge({
      key: bookingId,
      account: bookingId,
      amount,
      currency,
      paymentMethod,
    });
    return await recordCharge(ports, payment, charged);
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

/** Stores what the provider did. The store publishes no approval whose refund is owed. */
export async function recordCharge(
  ports: PaymentPorts,
  payment: Payment,
  charge: Charge,
): Promise<Payment> {
  const { bookingId } = payment.state;
  const next =
    charge.outcome === 'approved' ? payment.approve(ports.clock()) : payment.decline(charge.reason);
  if (!(next instanceof Payment)) return payment;
  const event = charge.outcome === 'approved' ? 'PaymentApproved' : 'PaymentDeclined';
  if ((await ports.payments.save(payment, next, event)) === 'stale') {
    // Another call recorded the same charge first.
    return (await ports.payments.findByBooking(bookingId)) ?? payment;
  }
  ports.log.info(`payment ${charge.outcome}`, { bookingId, paymentId: next.state.id });
  return next;
}
