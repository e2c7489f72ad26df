import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { registerUse } from '../src/application/register-use.ts';
import { Registration } from '../src/domain/registration.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';
import { hours, testUses, toCancelling, toPaid } from './a-use.ts';

let context: SpaceContext;
let uses: ReturnType<typeof testUses>;

beforeAll(async () => {
  context = await openSpaceContext();
  uses = testUses(context);
});

afterAll(() => context?.stop());

describe('the registration of a paid use', () => {
  test('a registration is stored whole, with its event and the inbox, in one transaction', async () => {
    const use = await uses.aUse();
    const eventId = uuidv7();
    const creation = { id: uuidv7(), now: new Date() };
    const registration = Registration.register(use, creation);
    await registerUse(context.ports, toPaid(use), uuidv7());
    const outcome = await context.ports.registrations.register(use, creation, eventId);
    expect(outcome).toEqual({ type: 'registered' });
    expect(await context.ports.registrations.findByBooking(use.bookingId)).toEqual(registration);
    const payload = { paymentId: use.paymentId, bookingId: use.bookingId, status: 'REGISTERED' };
    expect(context.published.at(-1)?.payload).toMatchObject(payload);
    expect(
      await context.database.query('SELECT payload FROM outbox WHERE aggregate_id = $1', [
        creation.id,
      ]),
    ).toEqual([{ payload: context.published.at(-1)?.payload }]);
    expect(await uses.publishedTypes(use)).toEqual(['Registered']);
    const transactions = await context.database.query(
      `SELECT xmin::text FROM registration WHERE booking_id = $1
       UNION SELECT xmin::text FROM inbox WHERE event_id = $2
       UNION SELECT xmin::text FROM outbox WHERE aggregate_id = $3
       UNION SELECT xmin::text FROM occupied_slot WHERE booking_id = $1`,
      [use.bookingId, eventId, registration.state.id],
    );
    expect(transactions).toHaveLength(1);
  });

  test('a use is registered once per payment, by repeated and by other events', async () => {
    const use = await uses.aUse();
    const [first, second] = [uuidv7(), uuidv7()];
    await uses.register(use, first);
    const registered = await uses.findState(use);
    await uses.register(use, first);
    await uses.register(use, second);
    expect(await uses.findState(use)).toEqual(registered);
    expect(await uses.publishedTypes(use)).toEqual(['Registered']);
    expect(await uses.isProcessed(second)).toBe(true);
    const id = registered?.id;
    expect(context.published.filter(({ aggregateId }) => aggregateId === id)).toHaveLength(1);
  });

  test('a use is registered once by twenty concurrent events', async () => {
    const use = await uses.aUse();
    const eventId = uuidv7();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => uses.register(use, index % 2 ? eventId : uuidv7())),
    );
    expect(await uses.findState(use)).toMatchObject({ status: 'REGISTERED', version: 1 });
    expect(await uses.publishedTypes(use)).toEqual(['Registered']);
  });

  test('a use that overlaps a registered one is rejected, and that is published once', async () => {
    const first = await uses.aUse();
    const { spaceId } = first;
    await uses.register(first);
    const second = await uses.aUse({ spaceId, slot: hours(1, 3) });
    const eventId = uuidv7();
    await uses.register(second, eventId);
    await uses.register(second, eventId);
    await uses.register(second);
    expect(await uses.findState(second)).toMatchObject({
      status: 'REJECTED',
      rejectReason: 'Another use is registered at that time.',
      registeredAt: null,
    });
    expect(await uses.publishedTypes(second)).toEqual(['RegistrationRejected']);
    expect(await uses.isProcessed(eventId)).toBe(true);
    expect(await uses.findState(first)).toMatchObject({ status: 'REGISTERED' });
  });

  test('uses of slots that are back to back are all registered', async () => {
    const spaceId = (await context.list()).id;
    for (const slot of [hours(2, 4), hours(4, 6), hours(0, 2)]) {
      const use = await uses.aUse({ spaceId, slot });
      await uses.register(use);
      expect(await uses.findState(use)).toMatchObject({ status: 'REGISTERED' });
    }
  });

  test('one of thirty concurrent uses of one slot is registered and the others are rejected', async () => {
    const spaceId = (await context.list()).id;
    const rivals = await Promise.all(Array.from({ length: 30 }, () => uses.aUse({ spaceId })));
    await Promise.all(rivals.map((use) => uses.register(use)));
    const states = await Promise.all(rivals.map(uses.findState));
    expect(states.filter((state) => state?.status === 'REGISTERED')).toHaveLength(1);
    expect(states.filter((state) => state?.status === 'REJECTED')).toHaveLength(29);
  });

  test('a use of a space that is not listed is rejected', async () => {
    const use = await uses.aUse({ spaceId: uuidv7() });
    await uses.register(use);
    expect(await uses.findState(use)).toMatchObject({
      status: 'REJECTED',
      rejectReason: 'The space is not in the catalogue.',
    });
    expect(await uses.publishedTypes(use)).toEqual(['RegistrationRejected']);
  });

  test('a use is registered where another was cancelled and a third rejected', async () => {
    const first = await uses.aUse();
    const { spaceId } = first;
    await uses.register(first);
    await uses.register(await uses.aUse({ spaceId }));
    await uses.cancel(first);
    const third = await uses.aUse({ spaceId });
    await uses.register(third);
    expect(await uses.findState(third)).toMatchObject({ status: 'REGISTERED' });
  });
});

describe('the next version of a registration', () => {
  test('a version based on an older one, or for a processed event, is stale', async () => {
    const use = await uses.aUse();
    await uses.register(use);
    const registration = await context.ports.registrations.findByBooking(use.bookingId);
    const next = registration?.cancel(new Date());
    if (!registration || !(next instanceof Registration)) throw new Error('not registered');
    const save = (eventId: string) =>
      context.ports.registrations.save(
        registration,
        next,
        'RegistrationCancelled',
        toCancelling(use),
        eventId,
      );

    const processed = uuidv7();
    await context.ports.registrations.markProcessed(processed);
    expect(await save(processed)).toBe('stale');
    expect(await uses.findState(use)).toEqual(registration.state);
    expect(await save(uuidv7())).toBe('saved');
    const late = uuidv7();
    expect(await save(late)).toBe('stale');
    expect(await uses.isProcessed(late)).toBe(false);
    expect(await uses.publishedTypes(use)).toEqual(['Registered', 'RegistrationCancelled']);
  });
});

describe('the constraints of the database', () => {
  test('two registered uses that overlap violate a constraint, without any check in the code', async () => {
    const use = await uses.aUse();
    await uses.register(use);
    const raw = context.database.query(
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

  test('a second registration of a payment violates a constraint', async () => {
    const use = await uses.aUse();
    await uses.register(use);
    const other = await uses.aUse({ paymentId: use.paymentId });
    await registerUse(context.ports, toPaid(other), uuidv7());
    const creation = { id: uuidv7(), now: new Date() };
    const outcome = await context.ports.registrations.register(other, creation, uuidv7());
    expect(outcome).toMatchObject({ type: 'overlap' });
    expect(await uses.findState(other)).toBeUndefined();
  });
});
