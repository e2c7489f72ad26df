import CircuitBreaker from 'opossum';
import { Pool as HttpPool } from 'undici';
import { z } from 'zod';
import { CORRELATION_HEADER, correlationId } from '#platform/correlation.ts';
import type { Logger } from '#platform/logger.ts';
import type { Booking } from '../domain/booking.ts';
import type { PaymentGateway, PaymentOutcome } from '../ports.ts';

const APPROVE = `mutation ApprovePayment($input: ApprovePaymentInput!) {
  approvePayment(input: $input) { status }
}`;

const OUTCOME = `query PaymentOutcome($bookingId: ID!) {
  paymentOutcome(bookingId: $bookingId) { status }
}`;

const outcome = z.object({ status: z.enum(['APPROVED', 'DECLINED', 'PENDING']) }).nullable();
const answer = z.object({
  data: z.object({ approvePayment: outcome.optional(), paymentOutcome: outcome.optional() }),
  errors: z.undefined().optional(),
});

export interface PaymentClient extends PaymentGateway {
  close(): Promise<void>;
}

/**
 * The synchronous call to payment, behind a circuit breaker: opens when half of at least 20 calls
 * within 10 s failed, and lets one through again every 5 s. A decline is an answer, not a failure.
 * A call is aborted after `timeoutMs`, and what is not answered clearly is `unknown`.
 */
export function paymentClient(url: string, timeoutMs: number, logger: Logger): PaymentClient {
  const http = new HttpPool(url, { connections: 64, pipelining: 1 });

  async function call(query: string, variables: object): Promise<PaymentOutcome> {
    const { statusCode, body } = await http.request({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', [CORRELATION_HEADER]: correlationId() },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`payment answered with HTTP ${statusCode}`);
    const { data } = answer.parse(JSON.parse(text));
    const status = (data.approvePayment ?? data.paymentOutcome)?.status;
    if (status === 'APPROVED') return 'approved';
    return status === 'DECLINED' ? 'declined' : 'unknown';
  }

  const breaker = new CircuitBreaker(call, {
    // The request aborts itself: the breaker's own timer would leave it running.
    timeout: false,
    volumeThreshold: 20,
    errorThresholdPercentage: 50,
    rollingCountTimeout: 10_000,
    resetTimeout: 5_000,
  });
  breaker.on('open', () => logger.warn('payment fails: its circuit breaker is open'));
  breaker.on('close', () => logger.info('payment answers again: its circuit breaker is closed'));
  breaker.fallback((_query: string, _variables: object, error: Error): PaymentOutcome => {
    logger.warn({ reason: error.message }, 'the outcome of a payment is unknown');
    return 'unknown';
  });

  return {
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
    outcomeOf: ({ state }) => breaker.fire(OUTCOME, { bookingId: state.id }),
    async close() {
      breaker.shutdown();
      await http.close();
    },
  };
}
