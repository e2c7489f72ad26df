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

/** A key and what is decided of it; a voided one has no account, method or amount. */
interface Decision {
  key: string;
  account: string | null;
  paymentMethod: string | null;
  outcome: Outcome;
  amount: number;
  currency: string;
  refunds: Refunds;
}

const decide = namedStatement<{ outcome: Outcome }, keyof Decision>(
  'sandbox-decide',
  `WITH decided AS (
     INSERT INTO sandbox_charge (key, account, payment_method, outcome, amount, currency, refunds)
     VALUES (:key, :account, :paymentMethod, :outcome, :amount, :currency, :refunds)
     ON CONFLICT (key) DO NOTHING RETURNING outcome)
   SELECT outcome FROM decided
   UNION ALL
   SELECT outcome FROM sandbox_charge WHERE key = :key
   LIMIT 1`,
);

const lookUp = statement<{ outcome: Outcome; refunds: Refunds; payment_method: string | null }>(
  'sandbox-look-up',
  'SELECT outcome, refunds, payment_method FROM sandbox_charge WHERE key = $1',
);

const insertAttempt = statement<{ attempts: number }>(
  'sandbox-attempt',
  `INSERT INTO sandbox_attempt (key, attempts) VALUES ($1, 1)
   ON CONFLICT (key) DO UPDATE SET attempts = sandbox_attempt.attempts + 1
   RETURNING attempts`,
);

const lockAccount = namedStatement<{ key: string }, 'account'>(
  'sandbox-lock-account',
  'SELECT key FROM sandbox_charge WHERE key = :account FOR UPDATE',
);

// Returns a row unless the refunds would exceed the charges; the same one when it is repeated.
const insertRefund = namedStatement<{ key: string }, 'refundKey' | 'account' | 'amount'>(
  'sandbox-refund',
  `INSERT INTO sandbox_refund (key, charge_key, amount)
   SELECT :refundKey::text, :account::text, :amount::int
    WHERE :amount::int + (SELECT coalesce(sum(r.amount), 0) FROM sandbox_refund r
                           WHERE r.charge_key = :account AND r.key <> :refundKey::text)
       <= (SELECT coalesce(sum(c.amount), 0) FROM sandbox_charge c
            WHERE c.outcome = 'APPROVED'
              AND (c.account = :account OR (c.account IS NULL AND c.key = :account)))
   ON CONFLICT (key) DO UPDATE SET key = excluded.key
   RETURNING key`,
);

const findRefunds = statement<{ key: string }>(
  'sandbox-find-refunds',
  'SELECT key FROM sandbox_refund WHERE charge_key = $1',
);

const SLOW_MS = 3_000;
/** Release 0.2.0 stored no methods. */
const METHOD_OF_OLDER_ROWS = 'pm_ok';

/**
 * The built-in payment provider, for trials and tests. Its behaviour depends on the payment method alone;
 * it records charges and refunds in its own tables (`sandbox_charge`, `sandbox_refund`):
 *
 * - `pm_ok` approves; `pm_declined` declines, as does any unknown method;
 * - `pm_slow` approves after 3 s;
 * - `pm_timeout_paid` makes the charge and never responds;
 * - `pm_timeout_unpaid` never responds to the first attempt and charges nothing; the next approves;
 * - `pm_busy` refuses the first two attempts as overloaded; the next approves;
 * - `pm_declined_later` approves the first charge of an account, and declines every later one;
 * - `pm_refund_fails` approves, and refuses every refund;
 * - `pm_refund_slow` approves, and accepts the first refund after 3 s.
 *
 * It counts attempts for each charge, and treats refunds as the method of the account's first charge says.
 *
 * `timeoutMs`: the client's timeout for a response that never comes.
 */
export function sandboxProvider(pool: Pool, timeoutMs: number): PaymentProvider {
  async function record(decision: Decision): Promise<Outcome> {
    for (;;) {
      const [row] = await decide(pool, decision);
      // No row: another call decided the key between the two halves of this statement.
      if (row) return row.outcome;
    }
  }

  async function timeOut(): Promise<never> {
    await wait(timeoutMs, undefined, { ref: false });
    throw new ProviderUnavailable(`the payment provider did not respond within ${timeoutMs} ms`);
  }

  return {
    async charge({ key, account, amount, currency, paymentMethod: given }) {
      const paymentMethod = given ?? (await findMethod(account));
      const decideAs = async (outcome: Outcome, refunds: Refunds = 'accept') => {
        const decision = { key, account, paymentMethod, outcome, amount, currency, refunds };
        return toCharge(await record(decision));
      };
      const approve = (refunds?: Refunds) => decideAs('APPROVED', refunds);
      switch (paymentMethod) {
        case 'pm_ok':
          return approve();
        case 'pm_declined_later':
          return decideAs(key === account ? 'APPROVED' : 'DECLINED');
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
          return decideAs('DECLINED');
      }
    },

    async find(key) {
      const [row] = await lookUp(pool, key);
      return row ? toCharge(row.outcome) : null;
    },

    async void(key) {
      const nothing = { account: null, paymentMethod: null, amount: 0, currency: '' };
      const outcome = await record({ key, ...nothing, outcome: 'VOIDED', refunds: 'accept' });
      return outcome === 'APPROVED' ? 'approved' : 'voided';
    },

    async refund(account, refundKey, amount) {
      const [charge] = await lookUp(pool, account);
      const earlier = await findRefunds(pool, account);
      if (earlier.some(({ key }) => key === refundKey)) return;
      if (charge?.refunds === 'refuse')
        throw new RefundRefused('the payment method accepts no refunds');
      const accept = () => acceptRefund(account, refundKey, amount);
      if (charge?.refunds !== 'slow' || earlier.length > 0) return accept();
      const accepted = wait(SLOW_MS).then(accept);
      accepted.catch(() => {});
      await (timeoutMs < SLOW_MS ? timeOut() : accepted);
    },
  };

  /** The method of an account's first charge; an empty one, which is declined, when that was not made. */
  async function findMethod(account: string): Promise<string> {
    const [first] = await lookUp(pool, account);
    if (first?.outcome !== 'APPROVED') return '';
    return first.payment_method ?? METHOD_OF_OLDER_ROWS;
  }

  /** Several refunds of an account, under different keys, never exceed its charges, not even at once. */
  async function acceptRefund(account: string, refundKey: string, amount: number): Promise<void> {
    const [accepted] = await inTransaction(pool, async (db) => {
      await lockAccount(db, { account });
      return insertRefund(db, { account, refundKey, amount });
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
