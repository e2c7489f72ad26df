import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type AuditLog, postgresAuditLog } from '#platform/operator/audit.ts';
import { postgresBlockStore } from '../src/adapters/postgres-block-store.ts';
import type { Block } from '../src/domain/block.ts';
import type { BlockStore } from '../src/ports.ts';
import { ANY_SLOT, aBooking, aSpace } from './a-booking.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
  tally,
  times,
} from './prisma-booking-store/booking-database.ts';

const MAX_BLOCKS = 1_000;

let book: BookingDatabase;
let blocks: BlockStore;
let audit: AuditLog;

beforeAll(async () => {
  book = await openBookingDatabase();
  blocks = postgresBlockStore(book.database.pool, {
    publish: (events) => void book.published.push(...events),
  });
  audit = postgresAuditLog(book.database.pool);
});
afterAll(() => book?.close());

const aBlock = (changes: Partial<Block> = {}): Block => ({
  id: uuidv7(),
  spaceId: uuidv7(),
  hostId: 'hana',
  slot: hours(0, 2),
  reason: 'Repairs',
  createdBy: 'hana',
  idempotencyKey: uuidv7(),
  removedAt: null,
  ...changes,
});
const insert = (block: Block, maxBlocks = MAX_BLOCKS) =>
  blocks.insert(block, maxBlocks, { userId: block.createdBy, role: 'host' });
const remove = (block: Block) => blocks.remove(block, { userId: 'hana', role: 'host' });
const findHolds = ({ id }: Block) =>
  book.database.query('SELECT live FROM slot_hold WHERE block_id = $1', [id]);
const readOutbox = ({ id }: Block) =>
  book.database.query<{ type: string }>(
    'SELECT type FROM outbox WHERE aggregate_id = $1 ORDER BY version',
    [id],
  );

describe('a block', () => {
  test('a block is written with its hold, its event and an audit entry, and found by its key', async () => {
    const block = aBlock();
    expect(await insert(block)).toBe('saved');
    expect(await blocks.find(block.id)).toEqual(block);
    expect(await blocks.findByKey('hana', block.idempotencyKey)).toEqual(block);
    expect(await findHolds(block)).toEqual([{ live: true }]);
    expect(await readOutbox(block)).toEqual([{ type: 'SlotBlocked' }]);
    expect(book.published.at(-1)).toMatchObject({ type: 'SlotBlocked', aggregateId: block.id });
    expect(await audit.list({ subjectId: block.id, userId: null }, null, 10)).toMatchObject([
      { action: 'blockSlot', userId: 'hana', details: { reason: 'Repairs' } },
    ]);
  });

  test.each([
    ['over all of a booking', 4, 6, 'overlap'],
    ['over the end of a booking', 5, 8, 'overlap'],
    ['inside a booking', 4.5, 5.5, 'overlap'],
    ['within the buffer before a booking', 3.5, 3.75, 'overlap'],
    ['within the buffer after a booking', 6.25, 6.75, 'overlap'],
    ['that ends where the buffer before a booking starts', 2, 3.5, 'saved'],
    ['that starts where the buffer after a booking ends', 7, 8, 'saved'],
  ])('a block %s is answered rightly by the database', async (_name, from, to, outcome) => {
    const spaceId = uuidv7();
    const buffers = { ...ANY_SLOT, bufferBeforeMinutes: 30, bufferAfterMinutes: 60 };
    const space = aSpace({ bookingRules: buffers });
    expect(await book.insert(aBooking({ spaceId, slot: hours(4, 6) }, { space }))).toBe('held');
    const block = aBlock({ spaceId, slot: hours(from, to) });
    expect(await insert(block)).toBe(outcome);
    if (outcome === 'saved') return;
    expect(await blocks.find(block.id)).toBeNull();
    expect(await findHolds(block)).toEqual([]);
    expect(await readOutbox(block)).toEqual([]);
  });

  test('a booking over a block is refused, one next to it is held, and both blocks of a time conflict', async () => {
    const spaceId = uuidv7();
    expect(await insert(aBlock({ spaceId, slot: hours(2, 4) }))).toBe('saved');
    expect(await book.insert(aBooking({ spaceId, slot: hours(3, 5) }))).toBe('overlap');
    expect(await book.insert(aBooking({ spaceId, slot: hours(4, 5) }))).toBe('held');
    expect(await book.insert(aBooking({ spaceId, slot: hours(0, 2) }))).toBe('held');
    expect(await insert(aBlock({ spaceId, slot: hours(3.5, 4) }))).toBe('overlap');
  });

  test('a block releases the expired hold that is in its way', async () => {
    const booking = await book.hold({ slot: hours(0, 2) });
    const block = aBlock({ spaceId: booking.state.spaceId });
    expect(await insert(block)).toBe('overlap');
    await book.endHold(booking);
    expect(await insert(block)).toBe('saved');
    expect((await book.findState(booking))?.status).toBe('EXPIRED');
  });

  test('concurrent blocks over several expired holds wait for one another without a deadlock', async () => {
    for (let round = 0; round < 4; round += 1) {
      const spaceId = uuidv7();
      for (const from of [0, 2, 4]) {
        const stale = await book.hold({ spaceId, slot: hours(from, from + 2) });
        await book.endHold(stale);
      }
      const outcomes = await Promise.all(
        times(8, () => insert(aBlock({ spaceId, slot: hours(0, 6) }))),
      );
      expect(tally(outcomes)).toEqual({ saved: 1, overlap: 7 });
    }
  });

  test('a removed block frees its time, once', async () => {
    const block = aBlock();
    await insert(block);
    expect(await Promise.all(times(5, () => remove(block)))).toContain(true);
    expect(await remove(block)).toBe(false);
    expect(await readOutbox(block)).toEqual([{ type: 'SlotBlocked' }, { type: 'SlotUnblocked' }]);
    expect((await blocks.find(block.id))?.removedAt).toBeInstanceOf(Date);
    expect(await book.insert(aBooking({ spaceId: block.spaceId, slot: hours(0, 2) }))).toBe('held');
    expect(await audit.list({ subjectId: block.id, userId: null }, null, 10)).toHaveLength(2);
  });

  test('a used key makes no second block, and leaves no hold', async () => {
    const block = aBlock();
    await insert(block);
    const again = aBlock({ ...block, id: uuidv7(), slot: hours(8, 9) });
    expect(await insert(again)).not.toBe('saved');
    expect(await findHolds(again)).toEqual([]);
    const spaceIds = times(10, () => uuidv7());
    const key = uuidv7();
    const outcomes = await Promise.all(
      spaceIds.map((spaceId) => insert(aBlock({ spaceId, idempotencyKey: key }))),
    );
    expect(outcomes.filter((outcome) => outcome === 'saved')).toHaveLength(1);
    const holds = await book.database.query(
      'SELECT FROM slot_hold WHERE space_id = ANY($1::uuid[])',
      [spaceIds],
    );
    expect(holds).toHaveLength(1);
  });

  test('of ten requests at once for a last block the database writes one', async () => {
    const spaceId = uuidv7();
    await insert(aBlock({ spaceId, slot: hours(0, 1) }), 2);
    const outcomes = await Promise.all(
      times(10, (index) => insert(aBlock({ spaceId, slot: hours(index + 1, index + 2) }), 2)),
    );
    expect(tally(outcomes)).toEqual({ saved: 1, 'too-many': 9 });
  });

  test('of twenty bookings and blocks of one time at once exactly one is written', async () => {
    for (let round = 0; round < 5; round += 1) {
      const spaceId = uuidv7();
      const outcomes = await Promise.all(
        times(20, (index) =>
          index % 2 === 0
            ? insert(aBlock({ spaceId }))
            : book.insert(aBooking({ spaceId, slot: hours(0, 2), customerId: `c${index}` })),
        ),
      );
      const written = outcomes.filter((outcome) => outcome === 'saved' || outcome === 'held');
      expect(written).toHaveLength(1);
    }
  });

  test('the blocks of a space are listed by their starts, without those that are removed or elsewhere', async () => {
    const spaceId = uuidv7();
    const [late, early, removed] = [hours(6, 7), hours(1, 2), hours(3, 4)].map((slot) =>
      aBlock({ spaceId, slot }),
    ) as [Block, Block, Block];
    for (const block of [late, early, removed, aBlock()]) await insert(block);
    await remove(removed);
    const { startAt } = hours(0, 1);
    const list = (to: number, limit: number) =>
      blocks.list(spaceId, startAt, hours(to, to + 1).startAt, limit);
    expect((await list(10, 10)).map(({ id }) => id)).toEqual([early.id, late.id]);
    expect((await list(6, 10)).map(({ id }) => id)).toEqual([early.id]);
    expect((await list(10, 1)).map(({ id }) => id)).toEqual([early.id]);
  });
});
