import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aChange, changedBookings } from './a-change.ts';
import { finishRefunds, paidBookings } from './a-goodwill.ts';
import { openPaymentContext, type PaymentContext } from './payment-context.ts';
import { COMPLETE, OWE } from './previous-release.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, findPayment, away } = paidBookings(() => context);
const { aCharged, giveBackFor } = changedBookings(() => context);
const findState = async (booking: PaymentRequest) => (await findPayment(booking)).state;
const owe = ({ bookingId }: PaymentRequest, refund: number) =>
  context.query(OWE, [bookingId, refund, 60_000]);
const complete = ({ bookingId }: PaymentRequest, refund: number, status: string) =>
  context.query(COMPLETE, [bookingId, refund, status]);

describe('the previous release beside changes of bookings', () => {
  test('its cancellation owes what completed refunds of changes leave, and is ended by this release', async () => {
    const booking = await aPaid();
    await aCharged(booking, 10_000);
    await giveBackFor(aChange(booking, -20_000));
    await owe(booking, 70_000);
    expect(await context.findObligations(booking.bookingId)).toEqual([
      { amount: 50_000, completed: false },
    ]);
    await expect(complete(booking, 50_000, 'PARTIALLY_REFUNDED')).rejects.toThrow(
      'refunded is not the sum of its refunds',
    );
    await finishRefunds(context);
    expect(await findState(booking)).toMatchObject({ status: 'REFUNDED', refunded: 70_000 });
    expect((await context.chargedAndRefunded(booking.bookingId))?.refunded).toBe(70_000);
  });

  test.each(['is under way', 'has failed'])(
    'its cancellation beside a refund of a change that %s stays within the charges, and both complete',
    async (how) => {
      const hasFailed = how === 'has failed';
      const booking = await aPaid(hasFailed ? { paymentMethod: 'pm_refund_fails' } : {});
      await giveBackFor(aChange(booking, -20_000), away());
      if (hasFailed) await finishRefunds(context);
      await owe(booking, 60_000);
      expect(await context.findObligations(booking.bookingId)).toEqual([
        { amount: 40_000, completed: false },
      ]);
      await complete(booking, 40_000, 'PARTIALLY_REFUNDED');
      await context.query("UPDATE sandbox_charge SET refunds = 'accept' WHERE key = $1", [
        booking.bookingId,
      ]);
      await finishRefunds(context);
      const [failed] = await ports.changes.findFailed((await findState(booking)).id);
      expect(failed !== undefined).toBe(hasFailed);
      if (hasFailed) {
        await ports.changes.retryFailed(await findPayment(booking), {
          ...{ operatorId: 'op', reason: 'r' },
        });
        await finishRefunds(context);
      }
      expect(await findState(booking)).toMatchObject({
        ...{ status: 'REFUNDED', refunded: 60_000, refundedForChanges: 20_000 },
      });
    },
  );

  test('its saved versions keep the sum of the charges', async () => {
    const booking = await aPaid();
    await aCharged(booking, 10_000);
    await owe(booking, 30_000);
    await complete(booking, 30_000, 'PARTIALLY_REFUNDED');
    expect(await findState(booking)).toMatchObject({ amount: 70_000, refunded: 30_000 });
  });
});

describe('the constraints of the database', () => {
  test.each([
    ['difference = 0', {}],
    ['refund_amount = 10001', {}],
    ["charge_status = 'PENDING'", {}],
    ["charge_status = 'CHARGED'", {}],
  ])('a charge whose %s violates a constraint', async (assignment) => {
    const { changeId } = await aCharged(await aPaid(), 10_000);
    await context.query('UPDATE payment_change SET refund_amount = 1 WHERE id = $1', [changeId]);
    const raw = context.query(`UPDATE payment_change SET ${assignment} WHERE id = $1`, [changeId]);
    await expect(raw).rejects.toMatchObject({ code: '23514' });
  });
});
