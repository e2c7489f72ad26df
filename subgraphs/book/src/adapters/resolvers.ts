import { z } from 'zod';
import { signedIn, type Viewer } from '#platform/auth/viewer.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { connection, readPage } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { actedAs } from '#platform/operator/audit.ts';
import { cancelBooking } from '../application/cancel-booking.ts';
import { findListedSpace } from '../application/find-listed-space.ts';
import { freeSlots } from '../application/free-slots.ts';
import { type Person, partyTo } from '../application/party.ts';
import { requestBooking } from '../application/request-booking.ts';
import { Booking, type BookingRequest } from '../domain/booking.ts';
import type { Party } from '../domain/booking-status.ts';
import type { Money } from '../domain/money.ts';
import type { BookingFilter, BookPorts } from '../ports.ts';

const MAX_RANGE_MS = 31 * 24 * 3_600_000;

/** A booking as one party to it sees it. */
interface VisibleBooking {
  booking: Booking;
  party: Party;
}

interface BookingsArgs {
  filter?: Partial<BookingFilter> | null;
  first: number | null;
  after?: string | null;
}

type RequestBookingInput = Omit<BookingRequest, 'customerId'>;

export function resolvers(ports: BookPorts) {
  async function visibleBooking(id: string, viewer: Viewer): Promise<VisibleBooking | null> {
    const booking = await ports.bookings.find(id);
    const party = booking && partyTo(booking, personOf(viewer));
    return booking && party ? { booking, party } : null;
  }

  return {
    Query: {
      booking: (_: unknown, { id }: { id: string }, { viewer }: SubgraphContext) =>
        visibleBooking(parseId(id, 'id'), signedIn(viewer)),

      async bookings(_: unknown, args: BookingsArgs, { viewer }: SubgraphContext) {
        const page = readPage(args, z.object({ id: z.uuid() }));
        const person = personOf(signedIn(viewer));
        const filter = filterOf(args.filter);
        const found = await ports.search.search(filter, page.first + 1, page.after?.id ?? null);
        return connection(
          found,
          page,
          ({ state }) => ({ id: state.id }),
          (booking) => ({ booking, party: partyTo(booking, person) ?? 'operator' }),
        );
      },
    },

    Mutation: {
      async requestBooking(
        _: unknown,
        { input }: { input: RequestBookingInput },
        { viewer }: SubgraphContext,
      ) {
        const person = signedIn(viewer);
        const request = {
          ...input,
          slot: { ...input.slot },
          spaceId: parseId(input.spaceId, 'input.spaceId'),
          customerId: person.userId,
        };
        const answer = await requestBooking(ports, request, actedAs(person, 'customer'));
        if (answer instanceof Booking) {
          return { type: 'RequestBookingSuccess', booking: { booking: answer, party: 'customer' } };
        }
        return answer.type === 'PaymentDeclined'
          ? { ...answer, booking: { booking: answer.booking, party: 'customer' } }
          : answer;
      },

      async cancelBooking(
        _: unknown,
        { input }: { input: { bookingId: string } },
        { viewer }: SubgraphContext,
      ) {
        const person = personOf(signedIn(viewer));
        const answer = await cancelBooking(
          ports,
          person,
          parseId(input.bookingId, 'input.bookingId'),
        );
        if ('type' in answer) return answer;
        const { booking, party } = answer;
        return {
          type: 'CancelBookingSuccess',
          booking: answer,
          refund: booking.quoteRefund(party, ports.clock()),
        };
      },
    },

    Booking: {
      __resolveReference: ({ id }: { id: string }, { viewer }: SubgraphContext) =>
        viewer ? visibleBooking(id, viewer) : null,
      id: ({ booking }: VisibleBooking) => booking.state.id,
      space: ({ booking }: VisibleBooking) => ({ id: booking.state.spaceId }),
      slot: ({ booking }: VisibleBooking) => booking.state.slot,
      headcount: ({ booking }: VisibleBooking) => booking.state.headcount,
      price: ({ booking }: VisibleBooking) => booking.state.price,
      status: ({ booking }: VisibleBooking) => booking.state.status,
      requestedAt: ({ booking }: VisibleBooking) => booking.state.requestedAt,
      refundQuote: ({ booking, party }: VisibleBooking): Money =>
        booking.quoteRefund(party, ports.clock()),
    },

    Space: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      async freeSlots({ id }: { id: string }, { from, to }: { from: Date; to: Date }) {
        if (to <= from) throw badInput('to', 'to must come after from.');
        if (to.getTime() - from.getTime() > MAX_RANGE_MS) {
          throw badInput('to', 'freeSlots answers for at most 31 days: move to closer to from.');
        }
        const space = await findListedSpace(ports, id);
        return space && freeSlots(ports, space, from, to);
      },
    },

    Problem: { __resolveType: ({ type }: { type: string }) => type },
    RequestBookingResult: { __resolveType: ({ type }: { type: string }) => type },
    CancelBookingResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

/** What is left out, or null, is not looked for. */
function filterOf(filter: BookingsArgs['filter']): BookingFilter {
  const textOf = (part: 'customerId' | 'hostId'): string | null => {
    const text = filter?.[part] ?? null;
    if (text !== null && /\p{Cc}/u.test(text)) {
      throw badInput(`filter.${part}`, `The ${part} must not hold control characters.`);
    }
    return text;
  };
  const spaceId = filter?.spaceId ?? null;
  return {
    customerId: textOf('customerId'),
    hostId: textOf('hostId'),
    spaceId: spaceId === null ? null : parseId(spaceId, 'filter.spaceId'),
    status: filter?.status ?? null,
    startsFrom: filter?.startsFrom ?? null,
    startsBefore: filter?.startsBefore ?? null,
    stuck: filter?.stuck ?? null,
  };
}

function personOf({ userId, roles }: Viewer): Person {
  return { userId, isOperator: roles.includes('operator') };
}
