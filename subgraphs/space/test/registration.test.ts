import { describe, expect, test } from '@jest/globals';
import { Registration } from '../src/domain/registration.ts';

const NOW = new Date('2030-05-01T00:00:00Z');
const LATER = new Date('2030-05-02T00:00:00Z');
const creation = { id: 'r1', now: NOW };
const use = {
  bookingId: 'b1',
  paymentId: 'p1',
  spaceId: 's1',
  slot: { startAt: new Date('2030-06-03T01:00:00Z'), endAt: new Date('2030-06-03T03:00:00Z') },
};

describe('transitions of a registration', () => {
  test('a new registration has its paid use and is registered', () => {
    expect(Registration.register(use, creation).state).toEqual({
      ...use,
      id: 'r1',
      status: 'REGISTERED',
      rejectReason: null,
      version: 1,
      registeredAt: NOW,
      cancelledAt: null,
    });
  });

  test('a rejected registration has its reason and was never registered', () => {
    expect(Registration.reject(use, 'Occupied.', creation).state).toEqual({
      ...use,
      id: 'r1',
      status: 'REJECTED',
      rejectReason: 'Occupied.',
      version: 1,
      registeredAt: null,
      cancelledAt: null,
    });
  });

  test('a tombstone is a cancelled registration without a payment', () => {
    const { paymentId: _, ...unpaid } = use;
    expect(Registration.tombstone(unpaid, creation).state).toEqual({
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

  test('a cancelled registration is one version later and keeps the time of its registration', () => {
    const registration = Registration.register(use, creation);
    const cancelled = registration.cancel(LATER) as Registration;
    expect(cancelled.state).toEqual({
      ...registration.state,
      status: 'CANCELLED',
      version: 2,
      cancelledAt: LATER,
    });
    expect(registration.state).toMatchObject({ status: 'REGISTERED', version: 1 });
  });

  test('a rejected registration that is cancelled stays rejected, one version later', () => {
    const cancelled = Registration.reject(use, 'Occupied.', creation).cancel(LATER) as Registration;
    expect(cancelled.state).toMatchObject({ status: 'REJECTED', version: 2, cancelledAt: LATER });
  });

  test.each([
    ['cancelled', Registration.register(use, creation).cancel(NOW) as Registration],
    ['a tombstone', Registration.tombstone(use, creation)],
    [
      'rejected and cancelled',
      Registration.reject(use, 'Occupied.', creation).cancel(NOW) as Registration,
    ],
  ])('a registration that is %s is not cancelled again', (_name, registration) => {
    expect(registration.cancel(LATER)).toEqual({
      type: 'IllegalTransition',
      from: registration.state.status,
      verb: 'cancel',
    });
  });
});
