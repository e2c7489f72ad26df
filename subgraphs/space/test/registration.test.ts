import { describe, expect, test } from '@jest/globals';
import { Registration } from '../src/domain/registration.ts';

const NOW = new Date('2030-05-01T00:00:00Z');
const LATER = new Date('2030-05-02T00:00:00Z');
const made = { id: 'r1', now: NOW };
const use = {
  bookingId: 'b1',
  paymentId: 'p1',
  spaceId: 's1',
  slot: { startAt: new Date('2030-06-03T01:00:00Z'), endAt: new Date('2030-06-03T03:00:00Z') },
};

describe('a registration', () => {
  test('registers a paid use', () => {
    expect(Registration.register(use, made).state).toEqual({
      ...use,
      id: 'r1',
      status: 'REGISTERED',
      rejectReason: null,
      version: 1,
      registeredAt: NOW,
      cancelledAt: null,
    });
  });

  test('that is rejected says why and was never registered', () => {
    expect(Registration.reject(use, 'Taken.', made).state).toEqual({
      ...use,
      id: 'r1',
      status: 'REJECTED',
      rejectReason: 'Taken.',
      version: 1,
      registeredAt: null,
      cancelledAt: null,
    });
  });

  test('that was cancelled before it was made is a tombstone without a payment', () => {
    const { paymentId: _, ...unpaid } = use;
    expect(Registration.tombstone(unpaid, made).state).toEqual({
      ...unpaid,
      id: 'r1',
      paymentId: null,
      status: 'CANCELLED',
      rejectReason: null,
      version: 1,
      registeredAt: null,
      cancelledAt: NOW,
    });
  });

  test('is cancelled one version later and remembers that it was registered', () => {
    const registration = Registration.register(use, made);
    const cancelled = registration.cancel(LATER) as Registration;
    expect(cancelled.state).toEqual({
      ...registration.state,
      status: 'CANCELLED',
      version: 2,
      cancelledAt: LATER,
    });
    expect(registration.state).toMatchObject({ status: 'REGISTERED', version: 1 });
  });

  test('that was rejected stays so when it is cancelled, one version later', () => {
    const cancelled = Registration.reject(use, 'Taken.', made).cancel(LATER) as Registration;
    expect(cancelled.state).toMatchObject({ status: 'REJECTED', version: 2, cancelledAt: LATER });
  });

  test.each([
    ['cancelled', Registration.register(use, made).cancel(NOW) as Registration],
    ['a tombstone', Registration.tombstone(use, made)],
    [
      'rejected and cancelled',
      Registration.reject(use, 'Taken.', made).cancel(NOW) as Registration,
    ],
  ])('that is %s is not cancelled again', (_name, registration) => {
    expect(registration.cancel(LATER)).toEqual({
      type: 'IllegalTransition',
      from: registration.state.status,
      verb: 'cancel',
    });
  });
});
