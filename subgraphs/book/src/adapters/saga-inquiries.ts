import { z } from 'zod';
import { CORRELATION_HEADER, correlationId } from '#platform/correlation.ts';
import type { ContextName } from '#platform/events.ts';
import { openHttpPool } from '#platform/http-pool.ts';
import type { Authorize } from '#platform/internal-tokens.ts';
import type { SagaInquiries } from '../ports.ts';

const TIMEOUT_MS = 5_000;

const PAYMENT = `query PaymentOutcome($bookingId: ID!) {
  paymentOutcome(bookingId: $bookingId) { isClosed }
}`;
const paymentAnswer = z.object({
  data: z.object({ paymentOutcome: z.object({ isClosed: z.boolean() }).nullable() }),
});

const REGISTRATION = `query RegistrationOutcome($bookingId: ID!) {
  registrationOutcome(bookingId: $bookingId) { status cancelledAt }
}`;
const registrationAnswer = z.object({
  data: z.object({
    registrationOutcome: z
      .object({ status: z.string(), cancelledAt: z.string().nullable() })
      .nullable(),
  }),
});

/**
 * Asks payment and space what became of a booking, for the sweeper of deadlines alone: without a
 * circuit breaker, because few calls are made at a time and the next one waits in the database.
 */
export function sagaInquiries(
  urls: { payment: string; space: string },
  authorize: Authorize,
): SagaInquiries & { close(): Promise<void> } {
  const pools = {
    payment: openHttpPool(urls.payment, { connections: 8, pipelining: 1 }),
    space: openHttpPool(urls.space, { connections: 8, pipelining: 1 }),
  };

  /** Rejects when the context does not respond with what was asked for within 5 s. */
  async function ask<Answer>(
    context: ContextName & keyof typeof pools,
    query: string,
    bookingId: string,
    answer: z.ZodType<Answer>,
  ): Promise<Answer> {
    const { statusCode, body } = await pools[context].request({
      method: 'POST',
      path: '/graphql',
      headers: {
        'content-type': 'application/json',
        authorization: await authorize(context),
        [CORRELATION_HEADER]: correlationId(),
      },
      body: JSON.stringify({ query, variables: { bookingId } }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${context} responded with HTTP ${statusCode}`);
    return answer.parse(JSON.parse(text));
  }

  return {
    async isPaymentClosed({ state }) {
      const { data } = await ask('payment', PAYMENT, state.id, paymentAnswer);
      return data.paymentOutcome?.isClosed ?? false;
    },
    async registrationOf({ state }) {
      const { data } = await ask('space', REGISTRATION, state.id, registrationAnswer);
      if (data.registrationOutcome === null) return 'unknown';
      const { status, cancelledAt } = data.registrationOutcome;
      if (cancelledAt !== null) return 'cancelled';
      if (status === 'REGISTERED') return 'registered';
      return status === 'REJECTED' ? 'rejected' : 'unknown';
    },
    async close() {
      await Promise.all([pools.payment.destroy(), pools.space.destroy()]);
    },
  };
}
