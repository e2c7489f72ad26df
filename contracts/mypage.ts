import { z } from 'zod';
import { bookingStatus } from './book.ts';

// Of the status of a view, for the router, which knows mypage's contract alone.
export { finalBookingStatuses } from './book.ts';

import { instant, money } from './values.ts';

/**
 * The notifications and internal endpoints of mypage for the router, which serves live subscribers. A
 * notification is not an event: it may be lost, and the router then reads the versions that mypage keeps.
 */

/** The channel on which mypage publishes every new version, as {@link viewNotifications}. */
export const VIEW_NOTIFICATIONS_CHANNEL = 'spacerent_view_notifications';
/** POST {@link versionsRequest}; the response is {@link versionsResponse}. */
export const VIEW_VERSIONS_PATH = '/views/versions';
/** GET with `?since=<instant>&after=<position>`; the response is {@link recentNotifications}. */
export const VIEW_NOTIFICATIONS_PATH = '/views/notifications';
/** The maximum number of bookings in one request. */
export const MAX_POSITIONS = 500;

/** There is a new version of the view of this customer and host. */
export const viewNotification = z.object({
  bookingId: z.uuid(),
  customerId: z.string(),
  /** Null: no event has named the host yet; absent in releases up to 0.2.0. */
  hostId: z.string().nullable().optional(),
  version: z.int(),
  /** The span that has written the version, in W3C's format; absent without traces and in earlier releases. */
  traceparent: z.string().optional(),
});
export const viewNotifications = z.array(viewNotification);
export type ViewNotification = z.infer<typeof viewNotification>;

/**
 * Requests the versions after `after` and those projected since `since`; with neither, or when these
 * versions are already deleted, the present one.
 */
export const versionQuery = z.object({
  // Not `uuid()`: a client may name an id that no RFC describes, and must not spoil the others' requests.
  bookingId: z.guid(),
  after: z.int().optional(),
  since: instant.optional(),
});
export const versionsRequest = z.object({
  bookings: z.array(versionQuery).max(MAX_POSITIONS),
});
/** As the router writes it. */
export type VersionQuery = z.input<typeof versionQuery>;
/** As mypage reads it. */
export type ParsedVersionQuestion = z.output<typeof versionQuery>;

/** What `HostBookingView` of the API shows beyond `BookingStatusView`, and the host who may see it. */
const hostFields = z.object({
  hostId: z.string(),
  spaceId: z.uuid(),
  customerId: z.string(),
  headcount: z.int(),
  note: z.string().nullable(),
  requestedAt: z.iso.datetime(),
  decideBefore: z.iso.datetime().nullable(),
});

/** One version of a view, as `BookingStatusView` of the API shows it: its instants stay text. */
const viewVersion = z.object({
  bookingId: z.uuid(),
  booking: z.object({ id: z.uuid() }),
  status: bookingStatus,
  spaceName: z.string(),
  slot: z.object({ startAt: z.iso.datetime(), endAt: z.iso.datetime() }),
  price: money,
  paymentStatus: z.string().nullable(),
  refunded: money,
  registrationStatus: z.string().nullable(),
  timeline: z.array(z.object({ status: bookingStatus, at: z.iso.datetime() })),
  version: z.int(),
  updatedAt: z.iso.datetime(),
  /** No further event of the booking, its payment or its registration can follow; absent in older releases. */
  isComplete: z.boolean().optional(),
  /** Null: no event has named the host yet; absent in releases up to 0.2.0. */
  host: hostFields.nullable().optional(),
});
export type ViewVersion = z.infer<typeof viewVersion>;

/** The requested versions, oldest first, and the present state of the view. */
const versionResult = z.object({
  customerId: z.string(),
  status: bookingStatus,
  version: z.int(),
  isComplete: z.boolean().optional(),
  versions: z.array(viewVersion),
});
/** One result for each requested booking, in the same order; null: there is no such view. */
export const versionsResponse = z.object({ results: z.array(versionResult.nullable()) });
export type VersionResult = z.infer<typeof versionResult>;

/** Notifications in the order of their projection; `next` is the position of the next page, null at the end. */
export const recentNotifications = z.object({
  notifications: z.array(viewNotification.extend({ projectedAt: z.iso.datetime() })),
  /** The time of the response, by mypage's clock. */
  now: z.iso.datetime(),
  next: z.string().nullable(),
});
export type RecentNotifications = z.infer<typeof recentNotifications>;
