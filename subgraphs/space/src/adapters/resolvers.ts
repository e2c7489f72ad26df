import { z } from 'zod';
import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { readPage, toConnection } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { roleFor } from '#platform/operator/audit.ts';
import { listSpace } from '../application/list-space.ts';
import type { Registration } from '../domain/registration.ts';
import type { Space, SpaceListing } from '../domain/space.ts';
import type { SpacePorts, SpaceSearch } from '../ports.ts';

interface SpacesArgs {
  filter?: { [Key in keyof SpaceSearch]?: SpaceSearch[Key] } | null;
  first: number | null;
  after?: string | null;
}

export function resolvers(ports: SpacePorts) {
  return {
    Query: {
      async spaces(_: unknown, args: SpacesArgs) {
        const page = readPage(args, z.object({ id: z.uuid() }));
        const search = toSearch(args.filter);
        const after = page.after?.id ?? null;
        const found = await ports.spaces.search(search, page.first + 1, after);
        return toConnection(
          found,
          page,
          ({ id }) => ({ id }),
          (space) => space,
        );
      },
      space: (_: unknown, { id }: { id: string }) => ports.spaces.find(parseId(id, 'id')),
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
        const result = await listSpace(ports, by, withDefaults(input));
        return 'type' in result ? result : { type: 'ListSpaceSuccess', space: result };
      },
    },

    Space: {
      __resolveReference: ({ id }: { id: string }) => ports.spaces.find(id),
      hourlyRate: ({ hourlyRate, currency }: Space) => ({ amount: hourlyRate, currency }),
    },

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
  };
}

function toSearch(filter: SpacesArgs['filter']): SpaceSearch {
  const freeDuring = filter?.freeDuring ?? null;
  if (freeDuring && freeDuring.endAt <= freeDuring.startAt) {
    throw badInput('filter.freeDuring.endAt', 'The slot must end after it starts.');
  }
  if (/\p{Cc}/u.test(filter?.text ?? '')) {
    throw badInput('filter.text', 'The text must not hold control characters.');
  }
  return {
    text: filter?.text?.trim() || null,
    minCapacity: filter?.minCapacity ?? null,
    maxHourlyRate: filter?.maxHourlyRate ?? null,
    freeDuring,
  };
}

/** GraphQL applies its defaults to omitted fields only; here an explicit null gets them, too. */
function withDefaults(input: SpaceListing): SpaceListing {
  return {
    ...input,
    description: input.description ?? '',
    address: input.address ?? '',
    timeZone: input.timeZone ?? 'Asia/Seoul',
    currency: input.currency ?? 'KRW',
  };
}
