import { type Block, type BlockRequest, findBlockProblem, isSameBlock } from '../domain/block.ts';
import type {
  BlockNotFound,
  IdempotencyKeyReused,
  InvalidBookingRequest,
  SlotUnavailable,
  SpaceNotFound,
} from '../domain/refusals.ts';
import type { ActingPrincipal, BookPorts } from '../ports.ts';
import { findListedSpace } from './find-listed-space.ts';
import { asHost, type BookingPrincipal } from './find-role.ts';
import { findAlternatives } from './free-slots.ts';

/** Limits what a search for free slots reads of one space. */
const MAX_BLOCKS = 1_000;

export type BlockSlotResult =
  | Block
  | SlotUnavailable
  | InvalidBookingRequest
  | SpaceNotFound
  | IdempotencyKeyReused;

/**
 * Closes a time of a space, for its host or an operator: refused where a booking, with its buffers, or
 * another block holds part of it. The same key and request always return the same block.
 */
export async function blockSlot(
  ports: BookPorts,
  principal: BookingPrincipal,
  request: BlockRequest,
): Promise<BlockSlotResult> {
  const space = await findListedSpace(ports, request.spaceId);
  const by = space && asHost(principal, space.hostId);
  if (!space || !by) return { type: 'SpaceNotFound', message: 'There is no such space.' };
  const problem = findBlockProblem(request, ports.clock());
  if (problem) {
    return (
      (await findRepeated(ports, by, request)) ?? { type: 'InvalidBookingRequest', ...problem }
    );
  }

  const { spaceId, slot, reason, idempotencyKey } = request;
  const block: Block = {
    id: ports.newId(),
    hostId: space.hostId,
    ...{ spaceId, slot, reason, idempotencyKey },
    createdBy: by.userId,
    removedAt: null,
  };
  const inserted = await ports.blocks.insert(block, MAX_BLOCKS, by);
  if (inserted === 'saved') {
    ports.log('slot blocked', { blockId: block.id, spaceId });
    return block;
  }
  const earlier = await findRepeated(ports, by, request);
  if (earlier) return earlier;
  if (inserted === 'too-many') {
    return {
      type: 'InvalidBookingRequest',
      field: 'spaceId',
      message: `A space has at most ${MAX_BLOCKS} blocks that have not ended: remove one, or close the days by opening exceptions.`,
    };
  }
  return {
    type: 'SlotUnavailable',
    message: `A booking or another block holds part of that time in ${space.name}.`,
    alternatives: await findAlternatives(ports, space, slot),
  };
}

/** Opens the time of a block again. A repeated call returns the same block. */
export async function unblockSlot(
  ports: BookPorts,
  principal: BookingPrincipal,
  blockId: string,
): Promise<Block | BlockNotFound> {
  const block = await ports.blocks.find(blockId);
  const by = block && asHost(principal, block.hostId);
  if (!block || !by) return { type: 'BlockNotFound', message: 'There is no such block.' };
  if (await ports.blocks.remove(block, by)) {
    ports.log('slot unblocked', { blockId, spaceId: block.spaceId });
  }
  return (await ports.blocks.find(blockId)) ?? block;
}

/**
 * The blocks of a space within [from, to) that have not ended, for its host or an operator; null: it is not
 * theirs.
 */
export async function listBlocks(
  ports: BookPorts,
  principal: BookingPrincipal,
  { spaceId, from, to }: { spaceId: string; from: Date; to: Date },
): Promise<Block[] | null> {
  const space = await findListedSpace(ports, spaceId);
  if (!space || !asHost(principal, space.hostId)) return null;
  return ports.blocks.list(spaceId, from, to, MAX_BLOCKS);
}

async function findRepeated(
  ports: BookPorts,
  by: ActingPrincipal,
  request: BlockRequest,
): Promise<Block | IdempotencyKeyReused | null> {
  const earlier = await ports.blocks.findByKey(by.userId, request.idempotencyKey);
  if (!earlier || isSameBlock(earlier, request)) return earlier;
  return {
    type: 'IdempotencyKeyReused',
    message: 'This idempotency key was used for another request: choose a new one.',
  };
}
