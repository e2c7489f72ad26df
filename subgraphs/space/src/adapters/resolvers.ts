import { requirePrincipal } from '#platform/auth/principal.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { readPage, toConnection } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { roleFor } from '#platform/operator/audit.ts';
import { findSpace } from '../application/find-space.ts';
import { listSpace } from '../application/list-space.ts';
import { updateSpace } from '../application/update-space.ts';
import type { Registration } from '../domain/registration.ts';
import type { FoundSpace, LongTerm, LongTerms, Space } from '../domain/space.ts';
import type { SpaceChanges } from '../domain/space-changes.ts';
import type { SpaceListing } from '../domain/space-listing.ts';
import type { SpaceOrder, SpacePorts } from '../ports.ts';
import {
  positionSchema,
  type SpaceFilter,
  toListing,
  toPosition,
  toSearch,
  toSpacePrincipal,
} from './space-arguments.ts';

interface SpacesArgs {
  filter?: SpaceFilter | null;
  first: number | null;
  after?: string | null;
  orderBy?: SpaceOrder | null;
}

type UpdateSpaceInput = SpaceChanges & { spaceId: string; expectedVersion: number };

export function resolvers(ports: SpacePorts) {
  return {
    Query: {
      async spaces(_: unknown, args: SpacesArgs, { principal }: SubgraphContext) {
        const orderBy = args.orderBy ?? 'NEWEST';
        const page = readPage(args, positionSchema(orderBy));
        const search = toSearch(args.filter, principal);
        const limit = page.first + 1;
        const found = await ports.spaces.search(search, { orderBy, limit, after: page.after });
        return toConnection(
          found,
          page,
          (space) => toPosition(orderBy, space),
          (space) => space,
        );
      },
      space: (_: unknown, { id }: { id: string }, { principal }: SubgraphContext) =>
        findSpace(ports, principal && toSpacePrincipal(principal), parseId(id, 'id')),
      registrationOutcome: (_: unknown, { bookingId }: { bookingId: string }) =>
        ports.registrations.findByBooking(parseId(bookingId, 'bookingId')),
    },

    Mutation: {
      async listSpace(
        _: unknown,
        { input }: { input: SpaceListing },
        { principal }: SubgraphContext,
      ) {
        const user = requirePrincipal(principal);
        const by = { userId: user.userId, role: roleFor(user, 'host') };
        const result = await listSpace(ports, by, toListing(input));
        return 'type' in result ? result : { type: 'ListSpaceSuccess', space: result };
      },
      async updateSpace(
        _: unknown,
        { input }: { input: UpdateSpaceInput },
        { principal }: SubgraphContext,
      ) {
        const { spaceId: id, expectedVersion, ...changes } = input;
        const spaceId = parseId(id, 'input.spaceId');
        const by = toSpacePrincipal(requirePrincipal(principal));
        const result = await updateSpace(ports, by, { spaceId, expectedVersion, changes });
        return 'type' in result ? result : { type: 'UpdateSpaceSuccess', space: result };
      },
    },

    Space: spaceFields(ports),

    Booking: {
      // Reached through a booking, which book shows only to its customer, its host and operators.
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      registration: ({ id }: { id: string }) => ports.registrations.findByBooking(id),
    },

    SpaceRegistration: {
      id: ({ state }: Registration) => state.id,
      status: ({ state }: Registration) => state.status,
      registeredAt: ({ state }: Registration) => state.registeredAt,
      cancelledAt: ({ state }: Registration) => state.cancelledAt,
    },

    Problem: { __resolveType: ({ type }: { type: string }) => type },
    ListSpaceResult: { __resolveType: ({ type }: { type: string }) => type },
    UpdateSpaceResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

/** A space of a page, without its long terms, or a whole one. */
type ShownSpace = FoundSpace | Space;

const isWhole = (space: ShownSpace): space is Space => 'openingHours' in space;

function spaceFields({ spaces }: SpacePorts) {
  const read =
    <Term extends LongTerm>(term: Term) =>
    (space: ShownSpace): LongTerms[Term] | Promise<LongTerms[Term]> => {
      if (!isWhole(space)) return spaces.findTerm(space.id, term);
      const terms: LongTerms = space;
      return terms[term];
    };
  const [priceRules, addOns] = [read('priceRules'), read('addOns')];
  return {
    // In every state: the bookings of an archived space refer to it.
    __resolveReference: ({ id }: { id: string }) => spaces.find(id),
    hourlyRate: ({ hourlyRate, currency }: ShownSpace) => ({ amount: hourlyRate, currency }),
    extraPersonHourlyRate: ({ extraPersonHourlyRate, currency }: ShownSpace) => ({
      amount: extraPersonHourlyRate,
      currency,
    }),
    openingHours: read('openingHours'),
    openingExceptions: read('openingExceptions'),
    refundTiers: read('refundTiers'),
    bookingRules: read('bookingRules'),
    priceRules: async (space: ShownSpace) =>
      (await priceRules(space)).map((rule) => ({
        ...rule,
        hourlyRate: { amount: rule.hourlyRate, currency: space.currency },
      })),
    addOns: async (space: ShownSpace) =>
      (await addOns(space)).map((addOn) => ({
        ...addOn,
        price: { amount: addOn.price, currency: space.currency },
      })),
    photos: read('photos'),
    amenities: read('amenities'),
  };
}
