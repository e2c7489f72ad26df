import { setTimeout as wait } from 'node:timers/promises';
import { namedStatement } from '#platform/database/named-statement.ts';
import { inTransaction, type Pool, statement } from '#platform/database/postgres.ts';
import {
  type Charge,
  ChargeUndecided,
  type PaymentProvider,
  ProviderUnavailable,
  RefundRefused,
} from '../ports.ts';

type Outcome = 'APPROVED' | 'DECLINED' | 'VOIDED';
type Refunds = 'accept' | 'refuse' | 'slow';

const decide = namedStatement<
  { outcome: Outcome },
  'key' | 'outcome' | 'amount' | 'currency' | 'refunds'
>(
  'sandbox-decide',
  `WITH decided AS (
     INSERT INTO sandbox_charge (key, outcome, amount, currency, refunds) VALUES (:key, :outcome, :amount, :currency, :refunds)
     ON CONFLICT (key) DO NOTHING RETURNING outcome)
   SELECT outcome FROM decided
   UNION ALL
   SELECT outcome FROM sandbox_charge WHERE key = :key
   LIMIT 1`,
);

const lookUp = statement<{ outcome: Outcome; refunds: Refunds }>(
  'sandbox-look-up',
  'SELECT outcome, refunds FROM sandbox_charge WHERE key = $1',
);

const insertAttempt = statement<{ attempts: number }>(
  'sandbox-attempt',
  `INSERT INTO sandbox_attempt (key, attempts) VALUES ($1, 1)
   ON CONFLICT (key) DO UPDATE SET attempts = sandbox_attempt.attempts + 1
   RETURNING attempts`,
);

const lockCharge = namedStatement<{ key: string }, 'chargeKey'>(
  'sandbox-lock-charge',
  'SELECT key FROM sandbox_charge WHERE key = :chargeKey FOR UPDATE',
);

// Returns a row unless the refunds would exceed the charge; the same one when it is repeated.
const insertRefund = namedStatement<{ key: string }, 'refundKey' | 'chargeKey' | 'amount'>(
  'sandbox-refund',
  `INSERT INTO sandbox_refund (key, charge_key, amount)
   SELECT :refundKey::text, c.key, :amount::int
     FROM sandbox_charge c
    WHERE c.key = :chargeKey AND c.outcome = 'APPROVED'
      AND :amount::int + (SELECT coalesce(sum(r.amount), 0) FROM sandbox_refund r
                           WHERE r.charge_key = c.key AND r.key <> :refundKey::text) <= c.amount
   ON CONFLICT (key) DO UPDATE SET key = excluded.key
   RETURNING key`,
);

const findRefunds = statement<{ key: string }>(
  'sandbox-find-refunds',
  'SELECT key FROM sandbox_refund WHERE charge_key = $1',
);

const SLOW_MS = 3_000;

/**
 * The built-in payment provider, for trials and tests. Its behaviour depends on the payment method alone;
 * it records charges and refunds in its own tables (`sandbox_charge`, `sandbox_refund`):
 *
 * - `pm_ok` approves; `pm_declined` declines, as does any unknown method;
 * - `pm_slow` approves after 3 s;
 * - `pm_timeout_paid` makes the charge and never responds;
 * - `pm_timeout_unpaid` never responds to the first attempt and charges nothing; the next approves;
 * - `pm_busy` refuses the first two attempts as overloaded; the next approves;
 * - `pm_refund_fails` approves, and refuses every refund;
 * - `pm_refund_slow` approves, and accepts the first refund after 3 s.
 *
 * `timeoutMs`: the client's timeout for a response that never comes.
 */
export function sandboxProvider(pool: Pool, timeoutMs: number): PaymentProvider {
  async function record(
    key: string,
    outcome: Outcome,
    amount: number,
    currency: string,
    refunds: Refunds = 'accept',
  ): Promise<Outcome> {
    for (;;) {
      const [row] = await decide(pool, { key, outcome, amount, currency, refunds });
      // No row: another call decided the key between the two halves of this statement.
      if (row) return row.outcome;
    }
  }

  async function timeOut(): Promise<never> {
    await wait(timeoutMs, undefined, { ref: false });
    throw new ProviderUnavailable(`the payment provider did not respond within ${timeoutMs} ms`);
  }

  return {
    async charge({ key, amount, currency, paymentMethod }) {
      const approve = async (refunds?: Refunds) =>
        toCharge(await record(key, 'APPROVED', amount, currency, refunds));
      switch (paymentMethod) {
        case 'pm_ok':
          return approve();
        case 'pm_refund_fails':
          return approve('refuse');
        case 'pm_refund_slow':
          return approve('slow');
        case 'pm_slow':
          await wait(SLOW_MS);
          return approve();
        case 'pm_timeout_paid': {
          const [charge] = await lookUp(pool, key);
          if (charge) return toCharge(charge.outcome);
          await approve();
          return timeOut();
        }
        case 'pm_timeout_unpaid':
          return (await countAttempt(key)) > 1 ? approve() : timeOut();
        case 'pm_busy':
          if ((await countAttempt(key)) > 2) return approve();
          throw new ChargeUndecided('the payment method is overloaded');
        default:
          return toCharge(await record(key, 'DECLINED', amount, currency));
      }
    },

    async find(key) {
      const [row] = await lookUp(pool, key);
      return row ? toCharge(row.outcome) : null;
    },

    async void(key) {
      const outcome = await record(key, 'VOIDED', 0, '');
      return outcome === 'APPROVED' ? 'approved' : 'voided';
    },

    async refund(chargeKey, refundKey, amount) {
      const [charge] = await lookUp(pool, chargeKey);
      const earlier = await findRefunds(pool, chargeKey);
      if (earlier.some(({ key }) => key === refundKey)) return;
      if (charge?.refunds === 'refuse')
        throw new RefundRefused('the payment method accepts no refunds');
      const accept = () => acceptRefund(chargeKey, refundKey, amount);
      if (charge?.refunds !== 'slow' || earlier.length > 0) return accept();
      const accepted = wait(SLOW_MS).then(accept);
      accepted.catch(() => {});
      await (timeoutMs < SLOW_MS ? timeOut() : accepted);
    },
  };

  /** Several refunds of a charge, under different keys, never exceed it, not even at once. */
  async function acceptRefund(chargeKey: string, refundKey: string, amount: number): Promise<void> {
    const [accepted] = await inTransaction(pool, async (db) => {
      await lockCharge(db, { chargeKey });
      return insertRefund(db, { chargeKey, refundKey, amount });
    });
    if (!accepted) throw new RefundRefused('there is no such amount left of the charge');
  }

  async function countAttempt(key: string): Promise<number> {
    const [row] = await insertAttempt(pool, key);
    return row?.attempts ?? 1;
  }
}

function toCharge(outcome: Outcome): Charge {
  switch (outcome) {
    case 'APPROVED':
      return { outcome: 'approved' };
    case 'DECLINED':
      return { outcome: 'declined', reason: 'the payment method was declined' };
    case 'VOIDED':
      return { outcome: 'declined', reason: 'the booking ended before it was charged' };
  }
}
