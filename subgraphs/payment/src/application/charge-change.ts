import { Payment } from '../domain/payment.ts';
import type { ChangeCharge, ChangeChargeStatus } from '../domain/payment-change.ts';
import { type Charge, ChargeUndecided, type PaymentPorts, ProviderUnavailable } from '../ports.ts';
import type { PaymentChange } from './change-store.ts';

/**
 * Charges a change of a booking at most once, with the method of the booking's first charge; a repeated request
 * gets the stored outcome. Without a decision of the provider the charge stays PENDING and may be requested
 * again. A booking that is not charged, or has ended, is declined.
 */
export async function chargeChange(
  ports: PaymentPorts,
  request: ChangeCharge,
): Promise<ChangeChargeStatus> {
  const created = await ports.changes.create(request);
  if (!created) return 'DECLINED';
  const { change, isNew } = created;
  if (isDecided(change)) return change.chargeStatus;
  return (await (isNew ? charge(ports, change) : chargeAgain(ports, change))).chargeStatus;
}

/**
 * Reserves what a change of a booking would give back, so that no other refund takes it meanwhile; a repeated
 * request gets the stored outcome. DECLINED where refunds, also those under way, leave less of the charges.
 */
export async function reserveReduction(
  ports: PaymentPorts,
  request: ChangeCharge,
): Promise<ChangeChargeStatus> {
  return (await ports.changes.reserve(request))?.chargeStatus ?? 'DECLINED';
}

/** What became of a change's charge or reservation; a pending one is looked up at the provider. Null: there is none. */
export async function changeOutcome(
  ports: PaymentPorts,
  changeId: string,
): Promise<ChangeChargeStatus | null> {
  const change = await ports.changes.find(changeId);
  return change && (await lookUpCharge(ports, change)).chargeStatus;
}

const isDecided = ({ chargeStatus }: PaymentChange) => chargeStatus !== 'PENDING';

/** An earlier call may have made the charge and lost the response: look it up before charging again. */
async function chargeAgain(ports: PaymentPorts, change: PaymentChange): Promise<PaymentChange> {
  const found = await lookUpCharge(ports, change);
  if (isDecided(found)) return found;
  // Never two calls for one key at once: a provider may refuse the second, or charge twice.
  if (await ports.changes.claimCharge(change.id)) return charge(ports, change);
  return ports.changesInProgress.get(change.id) ?? change;
}

async function lookUpCharge(ports: PaymentPorts, change: PaymentChange): Promise<PaymentChange> {
  if (isDecided(change)) return change;
  try {
    const found = await ports.provider.find(change.id);
    return found ? await recordChangeCharge(ports, change, found) : change;
  } catch (error) {
    return undecided(ports, change, error);
  }
}

/** Makes a charge that is leased to this process. */
async function charge(ports: PaymentPorts, change: PaymentChange): Promise<PaymentChange> {
  const work = chargeOnce(ports, change);
  ports.changesInProgress.set(change.id, work);
  try {
    return await work;
  } finally {
    if (ports.changesInProgress.get(change.id) === work) ports.changesInProgress.delete(change.id);
  }
}

async function chargeOnce(ports: PaymentPorts, change: PaymentChange): Promise<PaymentChange> {
  const { id, bookingId, difference } = change;
  try {
    const payment = await findPayment(ports, change);
    const charged = await ports.provider.charge({
      key: id,
      account: bookingId,
      amount: difference,
      currency: payment.state.currency,
      paymentMethod: null,
    });
    return await recordChangeCharge(ports, change, charged);
  } catch (error) {
    await ports.changes.releaseCharge(id);
    return undecided(ports, change, error);
  }
}

function undecided(ports: PaymentPorts, change: PaymentChange, error: unknown): PaymentChange {
  if (!(error instanceof ProviderUnavailable || error instanceof ChargeUndecided)) throw error;
  const { id, bookingId } = change;
  ports.log.info('charge of a change undecided', {
    ...{ bookingId, changeId: id, reason: error.message },
  });
  return change;
}

/** Stores what the provider did. What was charged for a released change is then owed back. */
export async function recordChangeCharge(
  ports: PaymentPorts,
  change: PaymentChange,
  charge: Charge,
): Promise<PaymentChange> {
  const { id, bookingId } = change;
  if (charge.outcome === 'declined') await ports.changes.end(id, 'DECLINED');
  else await approve(ports, change);
  ports.log.info(`change ${charge.outcome}`, { bookingId, changeId: id });
  return (await ports.changes.find(id)) ?? change;
}

async function approve(ports: PaymentPorts, change: PaymentChange): Promise<void> {
  for (;;) {
    const payment = await findPayment(ports, change);
    const next = payment.addCharge(change.difference);
    if (!(next instanceof Payment)) {
      throw new Error(
        `change ${change.id} was charged, yet its payment is ${payment.state.status}`,
      );
    }
    // Over: another call recorded the same charge first.
    if ((await ports.changes.approve(change, payment, next)) !== 'stale') return;
  }
}

/** The payment of a change, which is never deleted. */
export async function findPayment(
  ports: PaymentPorts,
  { id, bookingId }: Pick<PaymentChange, 'id' | 'bookingId'>,
): Promise<Payment> {
  const payment = await ports.payments.findByBooking(bookingId);
  if (!payment) throw new Error(`the payment of change ${id} is gone`);
  return payment;
}
