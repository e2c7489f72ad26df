import { z } from 'zod';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { openPeerClient } from '#platform/http/peer-client.ts';
import type { SagaInquiries } from '../ports.ts';

const TIMEOUT_MS = 5_000;

const PAYMENT = `query PaymentOutcome($bookingId: ID!) {
  paymentOutcome(bookingId: $bookingId) { isClosed }
}`;
const paymentResponse = z.object({
  data: z.object({ paymentOutcome: z.object({ isClosed: z.boolean() }).nullable() }),
});

const REGISTRATION = `query RegistrationOutcome($bookingId: ID!) {
  registrationOutcome(bookingId: $bookingId) { status cancelledAt }
}`;
const registrationResponse = z.object({
  data: z.object({
    registrationOutcome: z
      .object({ status: z.string(), cancelledAt: z.string().nullable() })
      .nullable(),
  }),
});

/**
 * Queries what became of a booking at payment and space, for the checks of overdue bookings: without
 * a circuit breaker, because few calls are made at a time and the next one waits in the database.
 */
export function sagaInquiries(
  urls: { payment: string; space: string },
  authorize: SignRequest,
): SagaInquiries & { close(): Promise<void> } {
  const peers = openPeerClient(urls, authorize, { connections: 8, timeoutMs: TIMEOUT_MS });
  const request = (query: string, bookingId: string) => ({
    path: '/graphql',
    body: { query, variables: { bookingId } },
  });

  return {
    async isPaymentClosed({ state }) {
      const { data } = await peers.request('payment', request(PAYMENT, state.id), paymentResponse);
      return data.paymentOutcome?.isClosed ?? false;
    },
    async findRegistrationStatus({ state }) {
      const { data } = await peers.request(
        'space',
        request(REGISTRATION, state.id),
        registrationResponse,
      );
      if (data.registrationOutcome === null) return 'unknown';
      const { status, cancelledAt } = data.registrationOutcome;
      if (cancelledAt !== null) return 'cancelled';
      if (status === 'REGISTERED') return 'registered';
      return status === 'REJECTED' ? 'rejected' : 'unknown';
    },
    close: () => peers.close(),
  };
}
