import { z } from 'zod';
import { type Principal, requirePrincipal } from '#platform/auth/principal.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { readPage, toConnection } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { roleFor } from '#platform/operator/audit.ts';
import { cancelBooking } from '../application/cancel-booking.ts';
import { type BookingPrincipal, findRole } from '../application/find-role.ts';
import { requestBooking } from '../application/request-booking.ts';
import { Booking } from '../domain/booking.ts';
import type { BookingRequest } from '../domain/booking-request.ts';
import type { Money } from '../domain/money.ts';
import type { Role } from '../domain/role.ts';
import type { BookingFilter, BookPorts } from '../ports.ts';
import { parseFilter } from './booking-filter.ts';

/** A booking, and the role in which the principal sees it. */
interface VisibleBooking {
  booking: Booking;
  role: Role;
}

interface BookingsArgs {
  filter?: Partial<BookingFilter> | null;
  first: number | null;
  after?: string | null;
}

type RequestBookingInput = Omit<BookingRequest, 'customerId'>;

export function resolvers(ports: BookPorts) {
  return {
    Query: queries(ports),
    Mutation: mutations(ports),
    Booking: bookingFields(ports),
    Problem: { __resolveType: ({ type }: { type: string }) => type },
    RequestBookingResult: { __resolveType: ({ type }: { type: string }) => type },
    CancelBookingResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

function queries(ports: BookPorts) {
  return {
    booking: (_: unknown, { id }: { id: string }, { principal }: SubgraphContext) =>
      findVisibleBooking(ports, parseId(id, 'id'), requirePrincipal(principal)),

    async bookings(_: unknown, args: BookingsArgs, { principal }: SubgraphContext) {
      const page = readPage(args, z.object({ id: z.uuid() }));
      const reader = toBookingPrincipal(requirePrincipal(principal));
      const filter = parseFilter(args.filter);
      const found = await ports.search.search(filter, page.first + 1, page.after?.id ?? null);
      return toConnection(
        found,
        page,
        ({ state }) => ({ id: state.id }),
        (booking) => ({ booking, role: findRole(booking, reader) ?? 'operator' }),
      );
    },
  };
}

function mutations(ports: BookPorts) {
  return {
    async requestBooking(
      _: unknown,
      { input }: { input: RequestBookingInput },
      { principal }: SubgraphContext,
    ) {
      const user = requirePrincipal(principal);
      const request = {
        ...input,
        slot: { ...input.slot },
        spaceId: parseId(input.spaceId, 'input.spaceId'),
        customerId: user.userId,
      };
      const result = await requestBooking(ports, request, roleFor(user, 'customer'));
      if (result instanceof Booking) {
        return { type: 'RequestBookingSuccess', booking: { booking: result, role: 'customer' } };
      }
      return result.type === 'PaymentDeclined'
        ? { ...result, booking: { booking: result.booking, role: 'customer' } }
        : result;
    },

    async cancelBooking(
      _: unknown,
      { input }: { input: { bookingId: string } },
      { principal }: SubgraphContext,
    ) {
      const user = toBookingPrincipal(requirePrincipal(principal));
      const bookingId = parseId(input.bookingId, 'input.bookingId');
      const result = await cancelBooking(ports, user, bookingId);
      if ('type' in result) return result;
      const { booking, role } = result;
      return {
        type: 'CancelBookingSuccess',
        booking: result,
        refund: booking.quoteRefund(role, ports.clock()),
      };
    },
  };
}

function bookingFields(ports: BookPorts) {
  return {
    __resolveReference: ({ id }: { id: string }, { principal }: SubgraphContext) =>
      principal ? findVisibleBooking(ports, id, principal) : null,
    id: ({ booking }: VisibleBooking) => booking.state.id,
    space: ({ booking }: VisibleBooking) => ({ id: booking.state.spaceId }),
    slot: ({ booking }: VisibleBooking) => booking.state.slot,
    headcount: ({ booking }: VisibleBooking) => booking.state.headcount,
    price: ({ booking }: VisibleBooking) => booking.state.price,
    status: ({ booking }: VisibleBooking) => booking.state.status,
    requestedAt: ({ booking }: VisibleBooking) => booking.state.requestedAt,
    refundQuote: ({ booking, role }: VisibleBooking): Money =>
      booking.quoteRefund(role, ports.clock()),
  };
}

async function findVisibleBooking(
  ports: BookPorts,
  id: string,
  principal: Principal,
): Promise<VisibleBooking | null> {
  const booking = await ports.bookings.find(id);
  const role = booking && findRole(booking, toBookingPrincipal(principal));
  return booking && role ? { booking, role } : null;
}

function toBookingPrincipal({ userId, roles }: Principal): BookingPrincipal {
  return { userId, isOperator: roles.includes('operator') };
}
