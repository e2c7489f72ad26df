import { orUnknown } from './operations.ts';
import type { BlockRecord, DecisionRecord, Records } from './records.ts';
import type { RouterClient } from './router-client.ts';
import type { Slot } from './slot-plan.ts';

const RESULT = `__typename
    ... on DecideBookingSuccess { booking { status } }
    ... on Problem { message }`;

const DECIDE = {
  approve: `mutation Approve($id: ID!) {
  decided: approveBooking(input: { bookingId: $id }) { ${RESULT} }
}`,
  reject: `mutation Reject($id: ID!) {
  decided: rejectBooking(input: { bookingId: $id, reason: "The room is closed." }) { ${RESULT} }
}`,
};

const BLOCK = `mutation Block($input: BlockSlotInput!) {
  blockSlot(input: $input) {
    __typename ... on BlockSlotSuccess { block { id } } ... on Problem { message }
  }
}`;

const UNBLOCK = `mutation Unblock($id: ID!) {
  unblockSlot(input: { blockId: $id }) { __typename }
}`;

/** Decides on a booking and records the outcome. */
export async function decide(
  router: RouterClient,
  records: Records,
  host: string,
  bookingId: string,
  decision: 'approve' | 'reject',
): Promise<void> {
  const record: DecisionRecord = {
    bookingId,
    decision,
    outcome: { kind: 'unknown', reason: 'no response yet' },
  };
  records.decisions.push(record);
  record.outcome = await orUnknown(async (): Promise<DecisionRecord['outcome']> => {
    type Data = { decided: { __typename: string; booking?: { status: string } } };
    const { decided } = await router.execute<Data>(host, DECIDE[decision], { id: bookingId });
    const { __typename: type, booking } = decided;
    return booking ? { kind: 'ok', status: booking.status } : { kind: 'refused', type };
  });
}

/** Closes a time of a space and records the outcome. */
export async function block(
  router: RouterClient,
  records: Records,
  host: string,
  key: string,
  { spaceId, startAt, endAt }: Slot,
): Promise<BlockRecord> {
  const input = { spaceId, slot: { startAt, endAt }, reason: 'Repairs', idempotencyKey: key };
  const outcome = await orUnknown(async (): Promise<BlockRecord['outcome']> => {
    type Data = { blockSlot: { __typename: string; block?: { id: string } } };
    const { blockSlot } = await router.execute<Data>(host, BLOCK, { input });
    const { __typename: type, block } = blockSlot;
    return block ? { kind: 'ok', blockId: block.id } : { kind: 'refused', type };
  });
  const record: BlockRecord = { key, spaceId, startAt, endAt, outcome, removal: 'none' };
  records.blocks.push(record);
  return record;
}

/** Opens the time of a block again and records the outcome. */
export async function unblock(
  router: RouterClient,
  host: string,
  record: BlockRecord,
): Promise<void> {
  if (record.outcome.kind !== 'ok') return;
  const { blockId } = record.outcome;
  // The block may be removed without a response.
  record.removal = 'unknown';
  const removal = await orUnknown(async () => {
    await router.execute(host, UNBLOCK, { id: blockId });
    return { kind: 'ok' as const };
  });
  if (removal.kind === 'ok') record.removal = 'ok';
}
