import { requirePrincipal } from '#platform/auth/principal.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { approvePayment, paymentOutcome } from '../application/approve-payment.ts';
import { isClosed } from '../application/cancel-payment.ts';
import { changeOutcome, chargeChange, reserveReduction } from '../application/charge-change.ts';
import { refundPayment } from '../application/refund-payment.ts';
import { type RefundResolution, resolveRefund } from '../application/resolve-refund.ts';
import { Payment, type PaymentRequest } from '../domain/payment.ts';
import type { ChangeCharge, ChangeChargeStatus } from '../domain/payment-change.ts';
import type { PaymentStatus } from '../domain/payment-status.ts';
import type { PaymentPorts } from '../ports.ts';
import { parseGoodwill, parseReason, type RefundPaymentInput } from './refund-inputs.ts';

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
      changeOutcome: async (_: unknown, { changeId }: { changeId: string }) =>
        toChangeOutcome(await ports.background.within(changeOutcome(ports, changeId))),
    },

    Mutation: {
      approvePayment: async (_: unknown, { input }: { input: PaymentRequest }) =>
        toOutcome(
          ports,
          await ports.background.within(
            approvePayment(ports, { ...input, slot: { ...input.slot } }),
          ),
        ),

      chargeChange: async (_: unknown, { input }: { input: ChangeCharge }) =>
        toChangeOutcome(await ports.background.within(chargeChange(ports, { ...input }))),

      reserveReduction: async (_: unknown, { input }: { input: ChangeCharge }) =>
        toChangeOutcome(await reserveReduction(ports, { ...input })),

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

      async refundPayment(
        _: unknown,
        { input }: { input: RefundPaymentInput },
        { principal }: SubgraphContext,
      ) {
        const { userId: operatorId } = requirePrincipal(principal);
        const refunded = await refundPayment(ports, { ...parseGoodwill(input), operatorId });
        return refunded instanceof Payment
          ? { type: 'RefundPaymentSuccess', payment: refunded }
          : refunded;
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

    RefundPaymentResult: { __resolveType: ({ type }: { type: string }) => type },
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

function toChangeOutcome(
  status: ChangeChargeStatus | null | 'undecided',
): { status: PaymentStatus } | null {
  if (status === null) return null;
  return { status: status === 'undecided' ? 'PENDING' : toOutcomeStatus(status) };
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
