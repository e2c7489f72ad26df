import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { EventRecord } from '#platform/messaging/events.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { prismaRegistrationStore } from '../src/adapters/prisma-registration-store.ts';
import { prismaSpaceStore } from '../src/adapters/prisma-space-store.ts';
import { cancelRegistration } from '../src/application/cancel-registration.ts';
import { listSpace } from '../src/application/list-space.ts';
import { registerUse } from '../src/application/register-use.ts';
import type { PublishedBooking } from '../src/domain/published-booking.ts';
import { type PaidUse, Registration } from '../src/domain/registration.ts';
import type { SpacePorts } from '../src/ports.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let ports: SpacePorts;
const published: EventRecord[] = [];

beforeAll(async () => {
  database = await createDatabase('space');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  const relay = { publish: (events: readonly EventRecord[]) => void published.push(...events) };
  ports = {
    spaces: prismaSpaceStore(prisma, database.pool, relay),
    registrations: prismaRegistrationStore(prisma, database.pool, relay),
    clock: () => new Date(),
    newId: uuidv7,
    log: () => {},
  };
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

const START = Date.UTC(2030, 5, 3);
const hours = (from: number, to: number) => ({
  startAt: new Date(START + from * 3_600_000),
  endAt: new Date(START + to * 3_600_000),
});

async function aSpaceId(): Promise<string> {
  const space = await listSpace(
    ports,
    { userId: 'hana', as: 'host' },
    {
      name: 'Loft',
      description: '',
      address: '',
      timeZone: 'Asia/Seoul',
      capacity: 10,
      hourlyRate: 30_000,
      currency: 'KRW',
    },
  );
  if ('type' in space) throw new Error(space.message);
  return space.id;
}

const aUse = async (changes: Partial<PaidUse> = {}): Promise<PaidUse> => ({
  bookingId: uuidv7(),
  paymentId: uuidv7(),
  spaceId: changes.spaceId ?? (await aSpaceId()),
  slot: hours(0, 2),
  ...changes,
});

const paid = ({ bookingId, spaceId, slot }: PaidUse): PublishedBooking => ({
  ...{ bookingId, spaceId, slot },
  status: 'PAID',
  version: 2,
});
const cancelling = (use: PaidUse): PublishedBooking => ({
  ...paid(use),
  status: 'CANCELLING',
  version: 4,
});
/** Book says that the booking is paid, then payment says so too. */
const register = async (use: PaidUse, eventId = uuidv7()) => {
  await registerUse(ports, paid(use), uuidv7());
  return registerUse(ports, use, eventId);
};
const cancel = (use: PaidUse, eventId = uuidv7()) =>
  cancelRegistration(ports, cancelling(use), eventId);
const stateOf = async ({ bookingId }: PaidUse) =>
  (await ports.registrations.findByBooking(bookingId))?.state;
const newsOf = async ({ bookingId }: PaidUse) =>
  (
    await database.query<{ type: string }>(
      `SELECT type FROM outbox WHERE payload->>'bookingId' = $1 ORDER BY version`,
      [bookingId],
    )
  ).map(({ type }) => type);
const isTaken = async (eventId: string) =>
  (await database.query('SELECT FROM inbox WHERE event_id = $1', [eventId])).length > 0;

describe('registering a paid use', () => {
  test('stores all of it, its event and the inbox together', async () => {
    const use = await aUse();
    const eventId = uuidv7();
    const made = { id: uuidv7(), now: new Date() };
    const registration = Registration.register(use, made);
    await registerUse(ports, paid(use), uuidv7());
    const outcome = await ports.registrations.register(use, made, eventId);
    expect(outcome).toEqual({ type: 'registered' });
    expect(await ports.registrations.findByBooking(use.bookingId)).toEqual(registration);
    const facts = { paymentId: use.paymentId, bookingId: use.bookingId, status: 'REGISTERED' };
    expect(published.at(-1)?.payload).toMatchObject(facts);
    expect(
      await database.query('SELECT payload FROM outbox WHERE aggregate_id = $1', [made.id]),
    ).toEqual([{ payload: published.at(-1)?.payload }]);
    expect(await newsOf(use)).toEqual(['Registered']);
    const transactions = await database.query(
      `SELECT xmin::text FROM registration WHERE booking_id = $1
       UNION SELECT xmin::text FROM inbox WHERE event_id = $2
       UNION SELECT xmin::text FROM outbox WHERE aggregate_id = $3
       UNION SELECT xmin::text FROM occupied_slot WHERE booking_id = $1`,
      [use.bookingId, eventId, registration.state.id],
    );
    expect(transactions).toHaveLength(1);
  });

  test('is done once per payment, whichever event tells of it', async () => {
    const use = await aUse();
    const [first, second] = [uuidv7(), uuidv7()];
    await register(use, first);
    const registered = await stateOf(use);
    await register(use, first);
    await register(use, second);
    expect(await stateOf(use)).toEqual(registered);
    expect(await newsOf(use)).toEqual(['Registered']);
    expect(await isTaken(second)).toBe(true);
    const id = registered?.id;
    expect(published.filter(({ aggregateId }) => aggregateId === id)).toHaveLength(1);
  });

  test('is done once when it is told twenty times at once', async () => {
    const use = await aUse();
    const eventId = uuidv7();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => register(use, index % 2 ? eventId : uuidv7())),
    );
    expect(await stateOf(use)).toMatchObject({ status: 'REGISTERED', version: 1 });
    expect(await newsOf(use)).toEqual(['Registered']);
  });

  test('is rejected over a registered use, and says so once', async () => {
    const first = await aUse();
    const { spaceId } = first;
    await register(first);
    const second = await aUse({ spaceId, slot: hours(1, 3) });
    const eventId = uuidv7();
    await register(second, eventId);
    await register(second, eventId);
    await register(second);
    expect(await stateOf(second)).toMatchObject({
      status: 'REJECTED',
      rejectReason: 'Another use is registered at that time.',
      registeredAt: null,
    });
    expect(await newsOf(second)).toEqual(['RegistrationRejected']);
    expect(await isTaken(eventId)).toBe(true);
    expect(await stateOf(first)).toMatchObject({ status: 'REGISTERED' });
  });

  test('of slots that are back to back is done for each', async () => {
    const spaceId = await aSpaceId();
    for (const slot of [hours(2, 4), hours(4, 6), hours(0, 2)]) {
      const use = await aUse({ spaceId, slot });
      await register(use);
      expect(await stateOf(use)).toMatchObject({ status: 'REGISTERED' });
    }
  });

  test('of one slot for thirty bookings at once registers one and rejects the others', async () => {
    const spaceId = await aSpaceId();
    const uses = await Promise.all(Array.from({ length: 30 }, () => aUse({ spaceId })));
    await Promise.all(uses.map((use) => register(use)));
    const states = await Promise.all(uses.map(stateOf));
    expect(states.filter((state) => state?.status === 'REGISTERED')).toHaveLength(1);
    expect(states.filter((state) => state?.status === 'REJECTED')).toHaveLength(29);
  });

  test('of a space that is not listed is rejected', async () => {
    const use = await aUse({ spaceId: uuidv7() });
    await register(use);
    expect(await stateOf(use)).toMatchObject({
      status: 'REJECTED',
      rejectReason: 'The space is not in the catalogue.',
    });
    expect(await newsOf(use)).toEqual(['RegistrationRejected']);
  });

  test('is possible again where a registered use was cancelled or one was rejected', async () => {
    const first = await aUse();
    const { spaceId } = first;
    await register(first);
    await register(await aUse({ spaceId }));
    await cancel(first);
    const third = await aUse({ spaceId });
    await register(third);
    expect(await stateOf(third)).toMatchObject({ status: 'REGISTERED' });
  });
});

describe('cancelling a registration', () => {
  test('takes it back one version later, once, whichever event asks for it', async () => {
    const use = await aUse();
    await register(use);
    const [first, second] = [uuidv7(), uuidv7()];
    await cancel(use, first);
    const cancelled = await stateOf(use);
    expect(cancelled).toMatchObject({ status: 'CANCELLED', version: 2 });
    await cancel(use, first);
    await cancel(use, second);
    expect(await stateOf(use)).toEqual(cancelled);
    expect(await newsOf(use)).toEqual(['Registered', 'RegistrationCancelled']);
    expect([await isTaken(first), await isTaken(second)]).toEqual([true, true]);
  });

  test('that was never made leaves a tombstone, which refuses a late approval', async () => {
    const use = await aUse();
    await cancel(use);
    const approved = uuidv7();
    await register(use, approved);
    expect(await stateOf(use)).toMatchObject({ status: 'CANCELLED', paymentId: null, version: 1 });
    expect(await newsOf(use)).toEqual(['RegistrationCancelled']);
    expect(await isTaken(approved)).toBe(true);
  });

  test('leaves tombstones of several bookings of one slot side by side', async () => {
    const first = await aUse();
    const second = await aUse({ spaceId: first.spaceId });
    await cancel(first);
    await cancel(second);
    const third = await aUse({ spaceId: first.spaceId });
    await register(third);
    expect(await stateOf(third)).toMatchObject({ status: 'REGISTERED' });
  });

  test('that was rejected says once that nothing is registered', async () => {
    const use = await aUse({ spaceId: uuidv7() });
    await register(use);
    await cancel(use);
    await cancel(use);
    expect(await stateOf(use)).toMatchObject({ status: 'REJECTED', version: 2 });
    expect(await newsOf(use)).toEqual(['RegistrationRejected', 'RegistrationCancelled']);
  });

  test('ten times at once is done once', async () => {
    const use = await aUse();
    await register(use);
    const eventId = uuidv7();
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => cancel(use, index % 2 ? eventId : uuidv7())),
    );
    expect(await newsOf(use)).toEqual(['Registered', 'RegistrationCancelled']);
  });

  test('against its registration at the same time, thirty times, never leaves it registered', async () => {
    const spaceId = await aSpaceId();
    for (let round = 0; round < 30; round += 1) {
      const use = await aUse({ spaceId });
      await Promise.all(round % 2 ? [register(use), cancel(use)] : [cancel(use), register(use)]);
      expect(await stateOf(use)).toMatchObject({ status: 'CANCELLED' });
      const news = await newsOf(use);
      expect(news.filter((type) => type === 'RegistrationCancelled')).toHaveLength(1);
    }
  });
});

describe('saving a registration', () => {
  test('is refused over a newer version, and for an event that was taken before', async () => {
    const use = await aUse();
    await register(use);
    const registration = await ports.registrations.findByBooking(use.bookingId);
    const next = registration?.cancel(new Date());
    if (!registration || !(next instanceof Registration)) throw new Error('not registered');
    const save = (eventId: string) =>
      ports.registrations.save(
        registration,
        next,
        'RegistrationCancelled',
        cancelling(use),
        eventId,
      );

    const taken = uuidv7();
    await ports.registrations.take(taken);
    expect(await save(taken)).toBe('stale');
    expect(await stateOf(use)).toEqual(registration.state);
    expect(await save(uuidv7())).toBe('saved');
    const late = uuidv7();
    expect(await save(late)).toBe('stale');
    expect(await isTaken(late)).toBe(false);
    expect(await newsOf(use)).toEqual(['Registered', 'RegistrationCancelled']);
  });
});

describe('the database itself', () => {
  test('refuses two registered uses that overlap, which no check of ours has seen', async () => {
    const use = await aUse();
    await register(use);
    const raw = database.query(
      `INSERT INTO registration
       SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),
                'booking_id', gen_random_uuid(), 'payment_id', gen_random_uuid()))).*
         FROM registration r WHERE booking_id = $1`,
      [use.bookingId],
    );
    await expect(raw).rejects.toMatchObject({
      code: '23P01',
      constraint: 'registration_no_overlap',
    });
  });

  test('refuses a second registration of a payment', async () => {
    const use = await aUse();
    await register(use);
    const other = await aUse({ paymentId: use.paymentId });
    await registerUse(ports, paid(other), uuidv7());
    const made = { id: uuidv7(), now: new Date() };
    const outcome = await ports.registrations.register(other, made, uuidv7());
    expect(outcome).toMatchObject({ type: 'overlap' });
    expect(await stateOf(other)).toBeUndefined();
  });
});
