import type { ViewVersion } from '#contracts/mypage.ts';

/** A version as `HostBookingView` of the API shows it; null: it names no host. */
export function toHostBooking(version: ViewVersion): object | null {
  const { bookingId, spaceName, slot, price, refunded, status, host } = version;
  if (!host) return null;
  const { spaceId, customerId, headcount, note, requestedAt, decideBefore } = host;
  return {
    ...{ bookingId, spaceId, spaceName, customerId, slot, headcount, price, refunded, status },
    ...{ note, requestedAt, decideBefore },
    version: version.version,
  };
}
