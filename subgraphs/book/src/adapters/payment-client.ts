import CircuitBreaker from 'opossum';
import { Counter, Gauge } from 'prom-client';
import { z } from 'zod';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { openHttpPool } from '#platform/http/http-pool.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { inSpan, tracingHeaders } from '#platform/tracing/tracing.ts';
import type { Booking } from '../domain/booking.ts';
import type { PaymentCircuit, PaymentGateway, PaymentOutcome } from '../ports.ts';

const APPROVE = `mutation ApprovePayment($input: ApprovePaymentInput!) {
  approvePayment(input: $input) { status }
}`;

const OUTCOME = `query PaymentOutcome($bookingId: ID!) {
  paymentOutcome(bookingId: $bookingId) { status }
}`;

const CHARGE_CHANGE = `mutation ChargeChange($input: ChargeChangeInput!) {
  chargeChange(input: $input) { status }
}`;

const RESERVE_REDUCTION = `mutation ReserveReduction($input: ReserveReductionInput!) {
  reserveReduction(input: $input) { status }
}`;

const CHANGE_OUTCOME = `query ChangeOutcome($changeId: ID!) {
  changeOutcome(changeId: $changeId) { status }
}`;

const outcome = z.object({ status: z.enum(['APPROVED', 'DECLINED', 'PENDING']) }).nullable();
const response = z.object({
  // One field, of the query that was sent.
  data: z.record(z.string(), outcome),
  errors: z.undefined().optional(),
});

export interface PaymentClient extends PaymentGateway {
  close(): Promise<void>;
}

/**
 * The synchronous call to payment, behind a circuit breaker: opens when half of at least 20 calls
 * within 10 s failed, and lets one through again every 5 s. A decline is a response, not a failure.
 * A call is aborted after `timeoutMs`; without a clear response the outcome is `unknown`.
 */
export function paymentClient(
  url: string,
  authorize: SignRequest,
  timeoutMs: number,
  metrics: Metrics,
  logger: Logger,
): PaymentClient {
  const http = openHttpPool(url, { connections: 64 });
  const calls = new Counter({
    name: 'spacerent_payment_calls_total',
    help: 'Requests to payment; failed: no clear response; not-called: its circuit breaker was open. Per process.',
    labelNames: ['outcome'],
    registers: [metrics],
  });

  async function send(query: string, variables: object): Promise<PaymentOutcome> {
    const { statusCode, body } = await http.request({
      method: 'POST',
      path: '/graphql',
      headers: {
        'content-type': 'application/json',
        authorization: await authorize('payment'),
        ...tracingHeaders(),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`payment responded with HTTP ${statusCode}`);
    const { data } = response.parse(JSON.parse(text));
    const outcome = toOutcome(Object.values(data)[0]?.status);
    calls.inc({ outcome });
    return outcome;
  }

  const call: Call = (query, variables) =>
    inSpan('request payment', { kind: 'client' }, () => send(query, variables));
  const breaker = openBreaker(call, calls, logger);
  const circuit = (): PaymentCircuit => {
    if (breaker.opened) return 'open';
    return breaker.halfOpen ? 'half-open' : 'closed';
  };
  measureCircuit(circuit, metrics);

  return {
    circuit,
    approve: ({ state }: Booking) =>
      breaker.fire(APPROVE, {
        input: {
          bookingId: state.id,
          customerId: state.customerId,
          spaceId: state.spaceId,
          slot: state.slot,
          amount: state.price.amount,
          currency: state.price.currency,
          paymentMethod: state.paymentMethod,
        },
      }),
    findOutcome: ({ state }) => breaker.fire(OUTCOME, { bookingId: state.id }),
    chargeChange: ({ id: changeId, bookingId, difference }) =>
      breaker.fire(difference > 0 ? CHARGE_CHANGE : RESERVE_REDUCTION, {
        input: { changeId, bookingId, amount: Math.abs(difference) },
      }),
    findChangeOutcome: ({ id: changeId }) => breaker.fire(CHANGE_OUTCOME, { changeId }),
    async close() {
      breaker.shutdown();
      await http.close();
    },
  };
}

function toOutcome(status: 'APPROVED' | 'DECLINED' | 'PENDING' | undefined): PaymentOutcome {
  if (status === 'APPROVED') return 'approved';
  return status === 'DECLINED' ? 'declined' : 'unknown';
}

type Call = (query: string, variables: object) => Promise<PaymentOutcome>;

/** The breaker of the calls; its outcome is `unknown` where it does not call or the call fails. */
function openBreaker(call: Call, calls: Counter<'outcome'>, logger: Logger) {
  const breaker = new CircuitBreaker(call, {
    // The request aborts itself: the breaker's own timer would leave it running.
    timeout: false,
    volumeThreshold: 20,
    errorThresholdPercentage: 50,
    rollingCountTimeout: 10_000,
    resetTimeout: 5_000,
  });
  breaker.on('open', () => logger.warn('payment fails: its circuit breaker is open'));
  breaker.on('close', () => logger.info('payment responds again: its circuit breaker is closed'));
  breaker.fallback((_query: string, _variables: object, error: Error): PaymentOutcome => {
    const notCalled = CircuitBreaker.isOurError(error);
    calls.inc({ outcome: notCalled ? 'not-called' : 'failed' });
    if (!notCalled) logger.warn({ reason: error.message }, 'the outcome of a payment is unknown');
    return 'unknown';
  });
  return breaker;
}

function measureCircuit(circuit: () => PaymentCircuit, metrics: Metrics): void {
  new Gauge({
    name: 'spacerent_payment_circuit',
    help: 'The circuit breaker of the calls to payment: 1 for the state that it is in. Per process.',
    labelNames: ['state'],
    registers: [metrics],
    collect() {
      for (const state of ['closed', 'half-open', 'open'] as const) {
        this.set({ state }, circuit() === state ? 1 : 0);
      }
    },
  });
}
