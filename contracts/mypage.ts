import { z } from 'zod';
import { bookingStatus } from './book.ts';
import { instant, money } from './values.ts';

/**
 * What mypage tells whoever serves live subscribers. It is no event: nothing depends on it, and what
 * is lost is read again from the versions that mypage keeps.
 */

/** Where a notification of every new version is published, as {@link viewNotifications}. */
export const VIEW_NOTIFICATIONS_CHANNEL = 'spacerent_view_notices';
/** Takes {@link versionQuestions}, answers with {@link versionAnswers}. */
export const VIEW_VERSIONS_PATH = '/views/versions';
/** Answers `?since=<instant>&after=<place>` with {@link recentNotifications}. */
export const VIEW_NOTIFICATIONS_PATH = '/views/notices';
/** How many bookings can be asked for at once. */
export const MAX_POSITIONS = 500;

/** There is a new version of this customer's view. */
export const viewNotification = z.object({
  bookingId: z.uuid(),
  customerId: z.string(),
  version: z.int(),
});
export const viewNotifications = z.array(viewNotification);
export type ViewNotification = z.infer<typeof viewNotification>;

/**
 * Asks for the versions after `after`, and for those projected since `since`. With neither, or when
 * they are not kept so far back: for the present one.
 */
export const versionQuestion = z.object({
  bookingId: z.uuid(),
  after: z.int().optional(),
  since: instant.optional(),
});
export const versionQuestions = z.object({
  bookings: z.array(versionQuestion).max(MAX_POSITIONS),
});
/** As the router writes it. */
export type VersionQuestion = z.input<typeof versionQuestion>;
/** As mypage reads it. */
export type ParsedVersionQuestion = z.output<typeof versionQuestion>;

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
  /** The booking and all that it brought about are at their end; not said by older versions of mypage. */
  isComplete: z.boolean().optional(),
});
export type ViewVersion = z.infer<typeof viewVersion>;

/** What is asked for, oldest first, and how the view stands now. */
const versionAnswer = z.object({
  customerId: z.string(),
  status: bookingStatus,
  version: z.int(),
  isComplete: z.boolean().optional(),
  versions: z.array(viewVersion),
});
/** An answer for each question, in their order; null: there is no such view. */
export const versionAnswers = z.object({ answers: z.array(versionAnswer.nullable()) });
export type VersionAnswer = z.infer<typeof versionAnswer>;

/** Notifications in the order of their projection; `next` is where to go on, null at the end. */
export const recentNotifications = z.object({
  notices: z.array(viewNotification.extend({ projectedAt: z.iso.datetime() })),
  /** When the answer was made, by mypage's clock. */
  now: z.iso.datetime(),
  next: z.string().nullable(),
});
export type RecentNotifications = z.infer<typeof recentNotifications>;
