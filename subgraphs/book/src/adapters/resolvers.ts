import { z } from 'zod';
import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { readPage, toConnection } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { isText } from '#platform/graphql/text.ts';
import { roleFor } from '#platform/operator/audit.ts';
import { cancelBooking } from '../application/cancel-booking.ts';
import {
  approveBooking,
  type DecideBookingResult,
  rejectBooking,
} from '../application/decide-booking.ts';
import { findRole } from '../application/find-role.ts';
import { type PricedRequest, requestBooking } from '../application/request-booking.ts';
import { Booking } from '../domain/booking.ts';
import type { AddOnSelection } from '../domain/price-quote.ts';
import type { PriceChanged } from '../domain/refusals.ts';
import type { BookingFilter, BookPorts } from '../ports.ts';
import { bookingFields, findVisibleBooking, toBookingPrincipal } from './booking-fields.ts';
import { parseFilter } from './booking-filter.ts';
import { toPriceLines } from './price-quotes.ts';

/** Of the words with which a host rejects a booking. */
const MAX_REASON_LENGTH = 500;
/** Line breaks and tabs are allowed. */
const CONTROL_CHARACTER = /(?![\n\r\t])\p{Cc}/u;

interface BookingsArgs {
  filter?: Partial<BookingFilter> | null;
  first: number | null;
  after?: string | null;
}

type RequestBookingInput = Omit<PricedRequest, 'customerId' | 'addOns' | 'note' | 'expectedTotal'> &
  Partial<Pick<PricedRequest, 'note' | 'expectedTotal'>> & {
    addOns?: readonly AddOnSelection[] | null;
  };

export function resolvers(ports: BookPorts) {
  return {
    Query: queries(ports),
    Mutation: mutations(ports),
    Booking: bookingFields(ports),
    PriceChanged: {
      quote: ({ quote }: PriceChanged) => ({
        ...quote,
        lines: toPriceLines(quote.lines, quote.total.currency),
      }),
    },
    Problem: { __resolveType: ({ type }: { type: string }) => type },
    RequestBookingResult: { __resolveType: ({ type }: { type: string }) => type },
    CancelBookingResult: { __resolveType: ({ type }: { type: string }) => type },
    DecideBookingResult: { __resolveType: ({ type }: { type: string }) => type },
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
        addOns: (input.addOns ?? []).map((each) => ({ ...each })),
        note: input.note?.trim() || null,
        expectedTotal: input.expectedTotal ?? null,
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

    async approveBooking(
      _: unknown,
      { input }: { input: { bookingId: string } },
      { principal }: SubgraphContext,
    ) {
      const user = toBookingPrincipal(requirePrincipal(principal));
      const bookingId = parseId(input.bookingId, 'input.bookingId');
      return toDecideResult(await approveBooking(ports, user, bookingId));
    },

    async rejectBooking(
      _: unknown,
      { input }: { input: { bookingId: string; reason: string } },
      { principal }: SubgraphContext,
    ) {
      const user = toBookingPrincipal(requirePrincipal(principal));
      const bookingId = parseId(input.bookingId, 'input.bookingId');
      const reason = input.reason.trim();
      const isReadable = isText(reason) && !CONTROL_CHARACTER.test(reason);
      if (reason === '' || reason.length > MAX_REASON_LENGTH || !isReadable) {
        throw badInput(
          'input.reason',
          `Say why, in at most ${MAX_REASON_LENGTH} characters, none a control character.`,
        );
      }
      return toDecideResult(await rejectBooking(ports, user, bookingId, reason));
    },
  };
}

function toDecideResult(result: DecideBookingResult) {
  return 'type' in result ? result : { type: 'DecideBookingSuccess', booking: result };
}
