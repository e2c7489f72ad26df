import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { orUnknown } from './operations.ts';
import type { GoodwillRecord, Records } from './records.ts';
import type { RouterClient } from './router-client.ts';

const REFUND = `mutation Refund($input: RefundPaymentInput!) {
  refundPayment(input: $input) {
    __typename ... on RefundPaymentSuccess { payment { id } } ... on Problem { message }
  }
}`;

/** In minor units. The largest is the price of an hour: nothing may be left of it. */
const AMOUNTS = { 500: 5, 1500: 5, 5000: 3, 10000: 1 } as const;

interface Operator {
  name: string;
  random: Random;
  router: RouterClient;
  records: Records;
  /** Once it returns true, no new action begins. */
  isOver: () => boolean;
}

/** Gives back parts of charges, some of them requested several times at once, until the load is over. */
export async function actAsOperator(operator: Operator): Promise<void> {
  for (let turn = 0; !operator.isOver(); turn += 1) {
    const random = operator.random.fork(`turn ${turn}`);
    const { paid } = operator.records;
    const bookingId = paid[random.between(0, 1_000) % Math.max(1, paid.length)];
    const amount = Number(random.weighted(AMOUNTS));
    const times = random.chance(0.2) ? 3 : 1;
    if (bookingId) {
      const key = `${operator.name}-${turn}`;
      await Promise.all(
        Array.from({ length: times }, () => refund(operator, { bookingId, key, amount })),
      );
    }
    await wait(random.between(150, 900));
  }
}

/** Refunds and records the outcome. */
async function refund(
  { name, router, records }: Operator,
  goodwill: Pick<GoodwillRecord, 'bookingId' | 'key' | 'amount'>,
): Promise<void> {
  const { bookingId, key: idempotencyKey, amount } = goodwill;
  const input = { bookingId, idempotencyKey, amount, reason: 'The heating failed.' };
  const outcome = await orUnknown(async (): Promise<GoodwillRecord['outcome']> => {
    type Data = { refundPayment: { __typename: string; payment?: { id: string } } };
    const { refundPayment } = await router.execute<Data>(name, REFUND, { input });
    const { __typename: type, payment } = refundPayment;
    return payment ? { kind: 'ok' } : { kind: 'refused', type };
  });
  records.goodwill.push({ ...goodwill, outcome });
}
