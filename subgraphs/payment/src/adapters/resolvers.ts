import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { isText } from '#platform/graphql/text.ts';
import { approvePayment, paymentOutcome } from '../application/approve-payment.ts';
import { isClosed } from '../application/cancel-payment.ts';
import { type RefundResolution, resolveRefund } from '../application/resolve-refund.ts';
import { Payment, type PaymentRequest } from '../domain/payment.ts';
import type { PaymentStatus } from '../domain/payment-status.ts';
import type { PaymentPorts } from '../ports.ts';

const MAX_REASON_LENGTH = 1_000;

interface ResolveRefundInput {
  bookingId: string;
  resolution: RefundResolution;
  reason: string;
}

export function resolvers(ports: PaymentPorts) {
  return {
    Query: {
      paymentOutcome: async (_: unknown, { bookingId }: { bookingId: string }) =>
        toOutcome(ports, await ports.background.within(paymentOutcome(ports, bookingId))),
    },

    Mutation: {
      approvePayment: async (_: unknown, { input }: { input: PaymentRequest }) =>
        toOutcome(
          ports,
          await ports.background.within(
            approvePayment(ports, { ...input, slot: { ...input.slot } }),
          ),
        ),

      async resolveRefund(
        _: unknown,
        { input }: { input: ResolveRefundInput },
        { principal }: SubgraphContext,
      ) {
        const { userId: operatorId } = requirePrincipal(principal);
        const bookingId = parseId(input.bookingId, 'input.bookingId');
        const decision = { operatorId, reason: parseReason(input.reason) };
        const resolved = await resolveRefund(ports, bookingId, input.resolution, decision);
        return resolved instanceof Payment
          ? { type: 'ResolveRefundSuccess', payment: resolved }
          : resolved;
      },
    },

    Booking: {
      // Reached through a booking, which book shows only to its customer, its host and operators.
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      async payment({ id }: { id: string }) {
        const payment = await ports.payments.findByBooking(id);
        // A voided payment was never charged.
        return payment?.state.status === 'VOIDED' ? null : payment;
      },
    },

    Payment: {
      id: ({ state }: Payment) => state.id,
      status: ({ state }: Payment) => state.status,
      amount: ({ state }: Payment) => ({ amount: state.amount, currency: state.currency }),
      refunded: ({ state }: Payment) => ({ amount: state.refunded, currency: state.currency }),
      approvedAt: ({ state }: Payment) => state.approvedAt,
    },

    ResolveRefundResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

interface PaymentOutcome {
  status: PaymentStatus;
  isClosed: () => Promise<boolean>;
}

/** The outcome that book needs: was the booking charged? A later refund does not change that. */
function toOutcome(
  ports: PaymentPorts,
  payment: Payment | null | 'undecided',
): PaymentOutcome | null {
  if (payment === null) return null;
  if (payment === 'undecided') return { status: 'PENDING', isClosed: async () => false };
  return {
    status: toOutcomeStatus(payment.state.status),
    isClosed: () => isClosed(ports, payment),
  };
}

function toOutcomeStatus(status: PaymentStatus): PaymentStatus {
  switch (status) {
    case 'PENDING':
      return 'PENDING';
    case 'APPROVED':
    case 'REFUNDED':
    case 'PARTIALLY_REFUNDED':
    case 'REFUND_FAILED':
      return 'APPROVED';
    case 'DECLINED':
    case 'VOIDED':
      return 'DECLINED';
  }
}

function parseReason(text: string): string {
  const reason = text.trim();
  if (reason === '') throw badInput('input.reason', 'Give the reason for this resolution.');
  if (reason.length > MAX_REASON_LENGTH || !isText(reason)) {
    throw badInput(
      'input.reason',
      `The reason must be text of at most ${MAX_REASON_LENGTH} characters.`,
    );
  }
  return reason;
}
