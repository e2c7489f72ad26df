import { expect, test } from '@jest/globals';
import { calendarsRequest } from '#contracts/calendars.ts';
import { versionsRequest } from '#contracts/mypage.ts';
import { parseId } from '#platform/graphql/ids.ts';

test('every id that clients may send is valid in the requests that subscriptions share', () => {
  // By RFC 9562 neither a version nor a variant: one of them must not fail the requests of all others.
  const id = parseId('ffffffff-1111-0111-0111-111111111111', 'id');
  const at = new Date().toISOString();
  const bookings = [{ bookingId: id }];
  expect(versionsRequest.safeParse({ bookings }).success).toBe(true);
  const queries = [{ spaceId: id, from: at, to: at }];
  expect(calendarsRequest.safeParse({ queries }).success).toBe(true);
});
