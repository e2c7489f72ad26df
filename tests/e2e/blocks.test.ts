import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { describeRouters, eventually } from '../support/system.ts';

const BLOCK = `mutation ($input: BlockSlotInput!) { blockSlot(input: $input) {
  __typename
  ... on BlockSlotSuccess { block { id reason removedAt slot { startAt endAt } } }
  ... on SlotUnavailable { alternatives { startAt endAt } }
  ... on InvalidBookingRequest { field }
  ... on Problem { message }
} }`;
const UNBLOCK = `mutation ($id: ID!) { unblockSlot(input: {blockId: $id}) {
  __typename ... on UnblockSlotSuccess { block { id removedAt } } ... on Problem { message } } }`;
const BLOCKS = `query ($id: ID!, $from: DateTime!, $to: DateTime!) {
  blocks(spaceId: $id, from: $from, to: $to) { id } }`;
const FREE = `query ($id: ID!, $from: DateTime!, $to: DateTime!) {
  space(id: $id) { freeSlots(from: $from, to: $to) { startAt endAt } } }`;
const FREE_DURING = `query ($slot: TimeSlotInput!, $text: String!) {
  spaces(filter: {text: $text, freeDuring: $slot}) { edges { node { id } } } }`;

const at = (slot: { startAt: string }, hours: number) =>
  new Date(Date.parse(slot.startAt) + hours * 3_600_000).toISOString();

describeRouters('a block', (system) => {
  async function space(input: object = {}) {
    const listed = await listSpace(system, input);
    const send = async (token: string, query: string, variables: object) => {
      const response = await system.graphql(token, query, variables);
      if (response.errors) throw new Error(JSON.stringify(response.errors));
      return response.data;
    };
    return {
      ...listed,
      send,
      block: async (slot: object, more: object = {}, token = listed.token) =>
        (
          await send(token, BLOCK, {
            input: {
              spaceId: listed.id,
              slot,
              reason: 'Repairs',
              idempotencyKey: randomUUID(),
              ...more,
            },
          })
        ).blockSlot,
      unblock: async (id: string, token = listed.token) =>
        (await send(token, UNBLOCK, { id })).unblockSlot,
    };
  }

  test('a host closes a time: nobody can book it, nothing shows it as free, until the host opens it again', async () => {
    const { id, name, token, send, block, unblock } = await space();
    const kim = await newCustomer(system);
    const slot = nextSlot(30, 2);
    const blocked = await block(slot);
    expect(blocked).toMatchObject({
      __typename: 'BlockSlotSuccess',
      block: { reason: 'Repairs', removedAt: null },
    });
    const day = { id, from: at(slot, -1), to: at(slot, 3) };
    expect((await send(kim.token, FREE, day)).space.freeSlots).toEqual([
      { startAt: at(slot, -1), endAt: at(slot, 0) },
      { startAt: at(slot, 2), endAt: at(slot, 3) },
    ]);
    const refused = await kim.request(id, { slot });
    expect(refused.__typename).toBe('SlotUnavailable');
    expect(refused.alternatives).toHaveLength(3);
    const found = async () =>
      (await send(kim.token, FREE_DURING, { slot, text: name })).spaces.edges.length;
    await eventually(async () => expect(await found()).toBe(0));
    expect((await send(token, BLOCKS, day)).blocks).toEqual([{ id: blocked.block.id }]);

    expect(await unblock(blocked.block.id)).toMatchObject({
      block: { id: blocked.block.id, removedAt: expect.any(String) },
    });
    expect(await unblock(blocked.block.id)).toMatchObject({ block: { id: blocked.block.id } });
    expect((await send(token, BLOCKS, day)).blocks).toEqual([]);
    await eventually(async () => expect(await found()).toBe(1));
    expect((await kim.request(id, { slot })).booking.status).toBe('PAID');
  });

  test('a block over a booking is refused, and one back to back with the buffers of a booking is made', async () => {
    const { id, block } = await space({
      bookingRules: { bufferBeforeMinutes: 30, bufferAfterMinutes: 60 },
    });
    const kim = await newCustomer(system);
    const slot = nextSlot();
    expect((await kim.request(id, { slot })).booking.status).toBe('PAID');
    const refused = await block({ startAt: at(slot, 1.5), endAt: at(slot, 3) });
    expect(refused.__typename).toBe('SlotUnavailable');
    expect(await block({ startAt: at(slot, 2), endAt: at(slot, 3) })).toHaveProperty('block');
    expect(await block({ startAt: at(slot, -2), endAt: at(slot, -0.5) })).toHaveProperty('block');
    // The buffer after it would reach into the block.
    const between = { startAt: at(slot, -3), endAt: at(slot, -2.5) };
    expect((await kim.request(id, { slot: between })).__typename).toBe('SlotUnavailable');
  });

  test('the same key and input return the same block, and another input is refused', async () => {
    const { block } = await space();
    const slot = nextSlot();
    const key = { idempotencyKey: randomUUID() };
    const first = await block(slot, key);
    expect(await block(slot, key)).toEqual(first);
    expect((await block(nextSlot(), key)).__typename).toBe('IdempotencyKeyReused');
  });

  test('only the host of the space and operators close and open its times', async () => {
    const { id, send, block, unblock } = await space();
    const other = await listSpace(system);
    const slot = nextSlot();
    expect((await block(slot, {}, other.token)).__typename).toBe('SpaceNotFound');
    const operator = await system.token('omar', 'operator');
    const { block: made } = await block(slot, {}, operator);
    expect((await unblock(made.id, other.token)).__typename).toBe('BlockNotFound');
    const range = { id, from: at(slot, -1), to: at(slot, 1) };
    expect((await send(other.token, BLOCKS, range)).blocks).toBeNull();
    const kim = await newCustomer(system);
    const forbidden = await kim.graphql(UNBLOCK, { id: made.id });
    expect(forbidden.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  test.each([
    ['that has ended', 'slot.endAt', () => ({ slot: nextSlot(-800) })],
    ['that ends first', 'slot.endAt', () => ({ slot: nextSlot(30, -1) })],
    ['of two years', 'slot', () => ({ slot: nextSlot(30, 24 * 730) })],
    ['with a long reason', 'reason', () => ({ reason: 'r'.repeat(201) })],
    ['with an empty key', 'idempotencyKey', () => ({ idempotencyKey: ' ' })],
  ])('a block %s is refused and names %s', async (_name, field, input) => {
    const { block } = await space();
    expect(await block(nextSlot(), input())).toMatchObject({
      __typename: 'InvalidBookingRequest',
      field,
    });
  });
});
