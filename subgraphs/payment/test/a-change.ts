import { v7 as uuidv7 } from 'uuid';
import type { ChangeEvent, PaymentChange } from '../src/application/change-store.ts';
import { chargeChange } from '../src/application/charge-change.ts';
import { refundChange, releaseChange } from '../src/application/refund-change.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { ChangeCharge } from '../src/domain/payment-change.ts';
import type { PaymentPorts } from '../src/ports.ts';
import type { PaymentContext } from './payment-context.ts';

/** What book requests for a change that costs `amount` more. */
export const aCharge = ({ bookingId }: PaymentRequest, amount: number): ChangeCharge => ({
  changeId: uuidv7(),
  bookingId,
  amount,
});

/** The event of a booking that costs `difference` more, or less when it is negative. */
export const aChange = (
  { bookingId }: Pick<PaymentRequest, 'bookingId'>,
  difference: number,
  changes: Partial<ChangeEvent> = {},
): ChangeEvent => ({ eventId: uuidv7(), changeId: uuidv7(), bookingId, difference, ...changes });

/** What tests do with the changes of a context's bookings, and read of them. */
export function changedBookings(context: () => PaymentContext) {
  const ports = () => context().ports;
  const charge = (request: ChangeCharge, by: PaymentPorts = ports()) => chargeChange(by, request);
  return {
    charge,
    /** Makes a charge that must be approved. */
    async aCharged(booking: PaymentRequest, amount: number): Promise<ChangeCharge> {
      const request = aCharge(booking, amount);
      const status = await charge(request);
      if (status !== 'APPROVED') throw new Error(`the charge is ${status}`);
      return request;
    },
    release: (
      { changeId, bookingId, amount }: ChangeCharge,
      by: PaymentPorts = ports(),
      eventId = uuidv7(),
    ) => releaseChange(by, { eventId, changeId, bookingId, difference: amount }),
    giveBackFor: (event: ChangeEvent, by: PaymentPorts = ports()) => refundChange(by, event),
    async findChange({ changeId }: { changeId: string }): Promise<PaymentChange> {
      const change = await ports().changes.find(changeId);
      if (!change) throw new Error('there is no change');
      return change;
    },
  };
}
