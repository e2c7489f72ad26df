import { z } from 'zod';
import { signedIn, type Viewer } from '#platform/auth/viewer.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { connection, readPage } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { actedAs } from '#platform/operator/audit.ts';
import { cancelBooking } from '../application/cancel-booking.ts';
import { findListedSpace } from '../application/find-listed-space.ts';
import { findRole, type Principal } from '../application/find-role.ts';
import { findFreeSlots } from '../application/free-slots.ts';
import { requestBooking } from '../application/request-booking.ts';
import { Booking } from '../domain/booking.ts';
import type { BookingRequest } from '../domain/booking-request.ts';
import type { Money } from '../domain/money.ts';
import type { Role } from '../domain/role.ts';
import type { BookingFilter, BookPorts } from '../ports.ts';
import { parseFilter } from './booking-filter.ts';

const MAX_RANGE_MS = 31 * 24 * 3_600_000;

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
    Space: spaceFields(ports),
    Problem: { __resolveType: ({ type }: { type: string }) => type },
    RequestBookingResult: { __resolveType: ({ type }: { type: string }) => type },
    CancelBookingResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

function queries(ports: BookPorts) {
  return {
    booking: (_: unknown, { id }: { id: string }, { viewer }: SubgraphContext) =>
      findVisibleBooking(ports, parseId(id, 'id'), signedIn(viewer)),

    async bookings(_: unknown, args: BookingsArgs, { viewer }: SubgraphContext) {
      const page = readPage(args, z.object({ id: z.uuid() }));
      const principal = toPrincipal(signedIn(viewer));
      const filter = parseFilter(args.filter);
      const found = await ports.search.search(filter, page.first + 1, page.after?.id ?? null);
      return connection(
        found,
        page,
        ({ state }) => ({ id: state.id }),
        (booking) => ({ booking, role: findRole(booking, principal) ?? 'operator' }),
      );
    },
  };
}

function mutations(ports: BookPorts) {
  return {
    async requestBooking(
      _: unknown,
      { input }: { input: RequestBookingInput },
      { viewer }: SubgraphContext,
    ) {
      const user = signedIn(viewer);
      const request = {
        ...input,
        slot: { ...input.slot },
        spaceId: parseId(input.spaceId, 'input.spaceId'),
        customerId: user.userId,
      };
      const result = await requestBooking(ports, request, actedAs(user, 'customer'));
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
      { viewer }: SubgraphContext,
    ) {
      const principal = toPrincipal(signedIn(viewer));
      const bookingId = parseId(input.bookingId, 'input.bookingId');
      const result = await cancelBooking(ports, principal, bookingId);
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
    __resolveReference: ({ id }: { id: string }, { viewer }: SubgraphContext) =>
      viewer ? findVisibleBooking(ports, id, viewer) : null,
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

function spaceFields(ports: BookPorts) {
  return {
    __resolveReference: ({ id }: { id: string }) => ({ id }),
    async freeSlots({ id }: { id: string }, { from, to }: { from: Date; to: Date }) {
      if (to <= from) throw badInput('to', 'to must come after from.');
      if (to.getTime() - from.getTime() > MAX_RANGE_MS) {
        throw badInput('to', 'freeSlots answers for at most 31 days: move to closer to from.');
      }
      const space = await findListedSpace(ports, id);
      return space && findFreeSlots(ports, space, from, to);
    },
  };
}

async function findVisibleBooking(
  ports: BookPorts,
  id: string,
  viewer: Viewer,
): Promise<VisibleBooking | null> {
  const booking = await ports.bookings.find(id);
  const role = booking && findRole(booking, toPrincipal(viewer));
  return booking && role ? { booking, role } : null;
}

function toPrincipal({ userId, roles }: Viewer): Principal {
  return { userId, isOperator: roles.includes('operator') };
}
