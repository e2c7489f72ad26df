import type { Booking } from '../../src/domain/booking.ts';
import type { BookingStatus } from '../../src/domain/lifecycle.ts';
import type { Role } from '../../src/domain/role.ts';
import { aBooking, aSpace, HOLD_SECONDS, legal, NOW, secondsAfter } from '../a-booking.ts';

export const HOLD_END = secondsAfter(NOW, HOLD_SECONDS);
export const ROLES: Role[] = ['customer', 'host', 'operator'];
export const UNPAID: BookingStatus[] = ['REQUESTED', 'PAYMENT_DEFERRED'];

/** A booking in each status, led there by its own verbs. */
export const inStatus: Record<BookingStatus, () => Booking> = {
  AWAITING_APPROVAL: () => aBooking({}, { space: aSpace({ bookingMode: 'APPROVAL' }) }),
  REJECTED: () => legal(inStatus.AWAITING_APPROVAL().reject(NOW, 'Closed for a private party')),
  REQUESTED: () => aBooking(),
  PAYMENT_DEFERRED: () => legal(aBooking().deferPayment(NOW)),
  PAID: () => legal(aBooking().approvePayment()),
  REGISTERED: () => legal(inStatus.PAID().confirm()),
  CANCELLING: () => legal(inStatus.REGISTERED().cancel('customer', NOW)),
  CANCELLED: () =>
    legal(
      legal(inStatus.CANCELLING().completePaymentCancellation()).completeRegistrationCancellation(),
    ),
  DECLINED: () => legal(aBooking().declinePayment()),
  EXPIRED: () => legal(aBooking().expire(HOLD_END)),
};
export const STATUSES = Object.keys(inStatus) as BookingStatus[];
