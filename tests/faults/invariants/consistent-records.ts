import { type Outcome, Records } from '../load/records.ts';
import {
  BLOCK,
  CUSTOMER,
  type Ending,
  inputFor,
  PRICE,
  REFUND,
  SPACE,
} from './booking-histories.ts';
import { recordChanges } from './consistent-changes.ts';

/** The requests and responses of the customer and the host of consistent data, by the bookings' ids. */
export function recordResponses(ids: Record<Ending, string>): Records {
  const records = new Records();
  const record = (ending: Ending, outcome: Outcome) =>
    records.requests.push({ customer: CUSTOMER, key: ending, input: inputFor(ending), outcome });
  const acknowledge = (ending: Ending, status: string) =>
    record(ending, { kind: 'ok', bookingId: ids[ending], status, price: PRICE });
  acknowledge('registered', 'PAID');
  acknowledge('rescheduled', 'PAID');
  recordChanges(records, ids.rescheduled);
  acknowledge('cancelled', 'PAID');
  record('declined', { kind: 'refused', type: 'PaymentDeclined', bookingId: ids.declined });
  acknowledge('expired', 'PAYMENT_DEFERRED');
  acknowledge('rejected', 'AWAITING_APPROVAL');
  records.decisions.push({
    bookingId: ids.rejected,
    decision: 'reject',
    outcome: { kind: 'ok', status: 'REJECTED' },
  });
  records.blocks.push({
    ...{ key: BLOCK.key, spaceId: SPACE.id, startAt: BLOCK.startAt, endAt: BLOCK.endAt },
    outcome: { kind: 'ok', blockId: BLOCK.id },
    removal: 'none',
  });
  records.cancels.push({
    customer: CUSTOMER,
    bookingId: ids.cancelled,
    outcome: { kind: 'ok', status: 'CANCELLING', refund: REFUND },
  });
  records.spaces.push({ spaceId: SPACE.id, name: SPACE.name });
  return records;
}
