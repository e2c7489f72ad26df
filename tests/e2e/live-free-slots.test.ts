import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { listSpace, newCustomer, nextSlot } from '../support/customer.ts';
import { liveClients } from '../support/live-clients.ts';
import { unsubscribeAll, type View, watch } from '../support/status-subscriptions.ts';
import { describeSystems, otherRouters, type System, until } from '../support/system.ts';

afterEach(unsubscribeAll);

const FREE_SLOTS = `subscription ($spaceId: ID!, $from: DateTime!, $to: DateTime!) {
  freeSlots(spaceId: $spaceId, from: $from, to: $to) { spaceId slots { startAt endAt } version }
}`;
const PRESENT = `query ($spaceId: ID!, $from: DateTime!, $to: DateTime!) {
  space(id: $spaceId) { freeSlots(from: $from, to: $to) { startAt endAt } } }`;
const BLOCK = `mutation ($input: BlockSlotInput!) { blockSlot(input: $input) {
  __typename ... on BlockSlotSuccess { block { id } } } }`;
const UNBLOCK = `mutation ($id: ID!) { unblockSlot(input: { blockId: $id }) { __typename } }`;
const UPDATE = `mutation ($input: UpdateSpaceInput!) { updateSpace(input: $input) { __typename } }`;

const HOUR_MS = 3_600_000;

/** A space, and a day of ten hours of which `slot` is the hour from 4 to 5. */
async function openDay(system: System) {
  const space = await listSpace(system);
  const slot = nextSlot(30, 1);
  const at = (hours: number) => new Date(Date.parse(slot.startAt) + hours * HOUR_MS).toISOString();
  const range = { spaceId: space.id, from: at(-4), to: at(6) };
  const between = (from: number, to: number) => ({ startAt: at(from - 4), endAt: at(to - 4) });
  return { space, slot, range, between };
}

const hoursOf = ({ slots }: View, { from }: { from: string }) =>
  slots
    .map(({ startAt, endAt }: { startAt: string; endAt: string }) =>
      [startAt, endAt].map((at) => (Date.parse(at) - Date.parse(from)) / HOUR_MS).join('-'),
    )
    .join(' ');

describeSystems('the live free slots of a space', (system) => {
  describe.each(liveClients)('the live free slots of a space over $name', (client) => {
    test('an anonymous client sees the present state, then bookings, cancellations, blocks and changes of the space', async () => {
      const { space, slot, range, between } = await openDay(system);
      const { views, errors } = watch(client, system, null, FREE_SLOTS, range);
      const shows = (hours: string) =>
        until(`the free slots are ${hours || 'none'}`, async () => {
          const last = views.at(-1);
          return last && hoursOf(last, range) === hours;
        });
      const host = async (query: string, variables: object) => {
        const { data, errors: failed } = await system.graphql(space.token, query, variables);
        if (failed) throw new Error(JSON.stringify(failed));
        return data;
      };
      await shows('0-10');
      expect(views).toHaveLength(1);

      const kim = await newCustomer(system);
      const requestedAt = performance.now();
      const booked = kim.request(space.id, { slot }).then((response) => ({
        ...response,
        ms: Math.round(performance.now() - requestedAt),
      }));
      await shows('0-4 5-10');
      const visibleMs = Math.round(performance.now() - requestedAt);
      const { booking, ms } = await booked;
      console.info(`${client.name}: visible after ${visibleMs} ms, response after ${ms} ms`);
      await kim.cancel(booking.id);
      await shows('0-10');

      const input = { spaceId: space.id, slot: between(1, 3), reason: 'Repairs' };
      const { blockSlot } = await host(BLOCK, {
        input: { ...input, idempotencyKey: randomUUID() },
      });
      await shows('0-1 3-10');
      await host(UNBLOCK, { id: blockSlot.block.id });
      await shows('0-10');

      const rules = { minMinutes: 660, maxMinutes: 720 };
      const changes = { spaceId: space.id, expectedVersion: 1, bookingRules: rules };
      expect(await host(UPDATE, { input: changes })).toMatchObject({
        updateSpace: { __typename: 'UpdateSpaceSuccess' },
      });
      await shows('');

      const versions = views.map(({ version }) => version);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      const states = views.map((view) => hoursOf(view, range));
      expect(states).toEqual(['0-10', '0-4 5-10', '0-10', '0-1 3-10', '0-10', '']);
      expect(errors).toEqual([]);
    }, 60_000);

    test('an unknown space and a range of more than 31 days are refused', async () => {
      const { range } = await openDay(system);
      const to = new Date(Date.parse(range.from) + 32 * 24 * HOUR_MS).toISOString();
      for (const [changes, code] of [
        [{ spaceId: randomUUID() }, 'NOT_FOUND'],
        [{ to }, 'BAD_USER_INPUT'],
      ] as const) {
        const watching = watch(client, system, null, FREE_SLOTS, { ...range, ...changes });
        await until('it ends', async () => watching.isOver || watching.errors.length > 0);
        expect(JSON.stringify(watching.errors)).toContain(code);
        expect(watching.views).toEqual([]);
      }
    });
  });

  test('all routers show the same versions, and what the query shows', async () => {
    const { space, slot, range } = await openDay(system);
    const [overWebSocket] = liveClients as [(typeof liveClients)[0]];
    const watching = [system, ...otherRouters(system)].map((router) =>
      watch(overWebSocket, router, null, FREE_SLOTS, range),
    );
    const all = (count: number) =>
      until(`${count} states everywhere`, async () =>
        watching.every(({ views }) => views.length === count),
      );
    await all(1);
    const kim = await newCustomer(system);
    await kim.request(space.id, { slot });
    await all(2);
    const [first, ...others] = watching.map(({ views }) => views);
    for (const other of others) expect(other).toEqual(first);
    const { data } = await system.graphql(null, PRESENT, range);
    expect(first?.at(-1)?.slots).toEqual(data.space.freeSlots);
  });
});
