import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { blockSlot, listBlocks, unblockSlot } from '../application/block-slot.ts';
import type { BlockRequest } from '../domain/block.ts';
import type { TimeSlot } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';
import { toBookingPrincipal } from './booking-fields.ts';

interface BlocksArgs {
  spaceId: string;
  from: Date;
  to: Date;
}

type BlockSlotInput = Omit<BlockRequest, 'slot'> & { slot: TimeSlot };

/** What hosts do with the times that they close. */
export function blockResolvers(ports: BookPorts) {
  return {
    Query: {
      async blocks(_: unknown, args: BlocksArgs, { principal }: SubgraphContext) {
        if (args.to <= args.from) throw badInput('to', 'to must come after from.');
        const user = toBookingPrincipal(requirePrincipal(principal));
        return listBlocks(ports, user, { ...args, spaceId: parseId(args.spaceId, 'spaceId') });
      },
    },

    Mutation: {
      async blockSlot(
        _: unknown,
        { input }: { input: BlockSlotInput },
        { principal }: SubgraphContext,
      ) {
        const user = toBookingPrincipal(requirePrincipal(principal));
        const result = await blockSlot(ports, user, {
          spaceId: parseId(input.spaceId, 'input.spaceId'),
          slot: { ...input.slot },
          reason: input.reason.trim(),
          idempotencyKey: input.idempotencyKey,
        });
        return 'type' in result ? result : { type: 'BlockSlotSuccess', block: result };
      },

      async unblockSlot(
        _: unknown,
        { input }: { input: { blockId: string } },
        { principal }: SubgraphContext,
      ) {
        const user = toBookingPrincipal(requirePrincipal(principal));
        const result = await unblockSlot(ports, user, parseId(input.blockId, 'input.blockId'));
        return 'type' in result ? result : { type: 'UnblockSlotSuccess', block: result };
      },
    },

    BlockSlotResult: { __resolveType: ({ type }: { type: string }) => type },
    UnblockSlotResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}
