import { GraphQLError } from 'graphql';
import { approvePayment, paymentOutcome } from '../application/approve-payment.ts';
import { isClosed } from '../application/cancel-payment.ts';
import type { Payment, PaymentRequest } from '../domain/payment.ts';
import type { PaymentStatus } from '../domain/payment-status.ts';
import { type PaymentPorts, ProviderUnavailable } from '../ports.ts';

export function resolvers(ports: PaymentPorts) {
  return {
    Query: {
      paymentOutcome: async (_: unknown, { bookingId }: { bookingId: string }) =>
        outcomeOf(ports, await unavailableAs503(paymentOutcome(ports, bookingId))),
    },

    Mutation: {
      approvePayment: async (_: unknown, { input }: { input: PaymentRequest }) =>
        outcomeOf(
          ports,
          await unavailableAs503(approvePayment(ports, { ...input, slot: { ...input.slot } })),
        ),
    },

    Booking: {
      // Reached through a booking, which book shows to its parties alone.
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      async payment({ id }: { id: string }) {
        const payment = await ports.payments.findByBooking(id);
        // A voided payment never was one.
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
  };
}

interface PaymentOutcome {
  status: PaymentStatus;
  isClosed: () => Promise<boolean>;
}

/** What book needs to know: was the money taken? It was, also where it has been refunded since. */
function outcomeOf(ports: PaymentPorts, payment: Payment | null): PaymentOutcome | null {
  return (
    payment && {
      status: outcomeStatusOf(payment.state.status),
      isClosed: () => isClosed(ports, payment),
    }
  );
}

function outcomeStatusOf(status: PaymentStatus): PaymentStatus {
  switch (status) {
    case 'PENDING':
      return 'PENDING';
    case 'APPROVED':
    case 'REFUNDED':
    case 'PARTIALLY_REFUNDED':
      return 'APPROVED';
    case 'DECLINED':
    case 'VOIDED':
      return 'DECLINED';
  }
}

async function unavailableAs503<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProviderUnavailable)) throw error;
    throw new GraphQLError(error.message, {
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
    });
  }
}
