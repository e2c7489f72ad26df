import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';
import { testUses } from './a-use.ts';

let context: SpaceContext;
let uses: ReturnType<typeof testUses>;

beforeAll(async () => {
  context = await openSpaceContext();
  uses = testUses(context);
});

afterAll(() => context?.stop());

describe('the cancellation of a registration', () => {
  test('a registration is cancelled once, one version later, by repeated and by other events', async () => {
    const use = await uses.aUse();
    await uses.register(use);
    const [first, second] = [uuidv7(), uuidv7()];
    await uses.cancel(use, first);
    const cancelled = await uses.findState(use);
    expect(cancelled).toMatchObject({ status: 'CANCELLED', version: 2 });
    await uses.cancel(use, first);
    await uses.cancel(use, second);
    expect(await uses.findState(use)).toEqual(cancelled);
    expect(await uses.publishedTypes(use)).toEqual(['Registered', 'RegistrationCancelled']);
    expect([await uses.isProcessed(first), await uses.isProcessed(second)]).toEqual([true, true]);
  });

  test('a cancellation without a registration leaves a tombstone, which refuses a late approval', async () => {
    const use = await uses.aUse();
    await uses.cancel(use);
    const approved = uuidv7();
    await uses.register(use, approved);
    expect(await uses.findState(use)).toMatchObject({
      status: 'CANCELLED',
      paymentId: null,
      version: 1,
    });
    expect(await uses.publishedTypes(use)).toEqual(['RegistrationCancelled']);
    expect(await uses.isProcessed(approved)).toBe(true);
  });

  test('tombstones of several bookings of one slot do not conflict', async () => {
    const first = await uses.aUse();
    const second = await uses.aUse({ spaceId: first.spaceId });
    await uses.cancel(first);
    await uses.cancel(second);
    const third = await uses.aUse({ spaceId: first.spaceId });
    await uses.register(third);
    expect(await uses.findState(third)).toMatchObject({ status: 'REGISTERED' });
  });

  test('the cancellation of a rejected use is published once', async () => {
    const use = await uses.aUse({ spaceId: uuidv7() });
    await uses.register(use);
    await uses.cancel(use);
    await uses.cancel(use);
    expect(await uses.findState(use)).toMatchObject({ status: 'REJECTED', version: 2 });
    expect(await uses.publishedTypes(use)).toEqual([
      'RegistrationRejected',
      'RegistrationCancelled',
    ]);
  });

  test('ten concurrent cancellations cancel once', async () => {
    const use = await uses.aUse();
    await uses.register(use);
    const eventId = uuidv7();
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => uses.cancel(use, index % 2 ? eventId : uuidv7())),
    );
    expect(await uses.publishedTypes(use)).toEqual(['Registered', 'RegistrationCancelled']);
  });

  test('a concurrent registration and cancellation never leave a use registered, thirty times', async () => {
    const spaceId = (await context.list()).id;
    for (let round = 0; round < 30; round += 1) {
      const use = await uses.aUse({ spaceId });
      await Promise.all(
        round % 2 ? [uses.register(use), uses.cancel(use)] : [uses.cancel(use), uses.register(use)],
      );
      expect(await uses.findState(use)).toMatchObject({ status: 'CANCELLED' });
      const types = await uses.publishedTypes(use);
      expect(types.filter((type) => type === 'RegistrationCancelled')).toHaveLength(1);
    }
  });
});
