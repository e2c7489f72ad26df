import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  type RecentNotifications,
  type VersionResult,
  VIEW_NOTIFICATIONS_PATH,
  VIEW_VERSIONS_PATH,
  type ViewNotification,
  type ViewVersion,
  versionsRequest,
} from '#contracts/mypage.ts';
import { instant } from '#contracts/values.ts';
import type { Publisher } from '#platform/messaging/notifications.ts';
import { type BookingStatusView, isComplete } from '../booking-status-view.ts';
import { toHostFields } from '../host-booking-view.ts';
import type {
  ProjectionPosition,
  RequestedVersions,
  ViewVersions,
  ViewWithTimeline,
} from '../ports.ts';

const NOTIFICATION_BATCH_SIZE = 1_000;
/** PostgreSQL notifies of 8000 bytes at most. */
const MAX_NOTIFICATION_BYTES = 7_000;

/**
 * Publishes new versions of views, but not those of a generation that is not live; with the span that has written
 * each, where traces are on.
 */
export function notifySubscribers(
  publisher: Publisher,
  findTraceparent: (view: BookingStatusView) => string | undefined,
) {
  return (views: readonly BookingStatusView[]): void => {
    const notifications = views.flatMap((view) => {
      const { bookingId, customerId, hostId, version } = view;
      if (customerId === null) return [];
      return [{ bookingId, customerId, hostId, version, traceparent: findTraceparent(view) }];
    });
    for (const text of toMessages(notifications)) publisher.publish(text);
  };
}

/** The notifications as JSON texts, each within the size limit. */
function toMessages(notifications: readonly ViewNotification[]): string[] {
  if (notifications.length === 0) return [];
  const text = JSON.stringify(notifications);
  if (notifications.length === 1 || Buffer.byteLength(text) <= MAX_NOTIFICATION_BYTES)
    return [text];
  const half = Math.ceil(notifications.length / 2);
  return [...toMessages(notifications.slice(0, half)), ...toMessages(notifications.slice(half))];
}

const notificationsQuery = z.object({
  since: instant,
  after: z
    .string()
    .transform((text, { addIssue }): ProjectionPosition => {
      const [projectedAt = '', bookingId = '', version = ''] = text.split('_');
      const at = new Date(projectedAt);
      if (Number.isNaN(at.getTime()) || !/^\d+$/.test(version)) addIssue('is no position');
      return { projectedAt: at, bookingId, version: Number(version) };
    })
    .optional(),
});

/** Serves versions and notifications to routers, which push them to subscribers. */
export function serveViewVersions(app: FastifyInstance, versions: ViewVersions): void {
  app.post(VIEW_VERSIONS_PATH, async (request, reply) => {
    const parsed = versionsRequest.safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ message: z.prettifyError(parsed.error) });
    const found = await versions.find(parsed.data.bookings);
    return { results: found.map((each) => each && toResult(each)) };
  });
  app.get(VIEW_NOTIFICATIONS_PATH, async (request, reply) => {
    const parsed = notificationsQuery.safeParse(request.query);
    if (!parsed.success) return reply.code(400).send({ message: z.prettifyError(parsed.error) });
    // Before the query: versions that are projected meanwhile are found again by the next one.
    const now = new Date().toISOString();
    const { since, after = null } = parsed.data;
    const recent = await versions.projectedSince(since, after, NOTIFICATION_BATCH_SIZE);
    const last = recent.length < NOTIFICATION_BATCH_SIZE ? undefined : recent.at(-1);
    return {
      notifications: recent.map((each) => ({
        ...each,
        projectedAt: each.projectedAt.toISOString(),
      })),
      now,
      next: last ? `${last.projectedAt.toISOString()}_${last.bookingId}_${last.version}` : null,
    } satisfies RecentNotifications;
  });
}

function toResult({ present, versions }: RequestedVersions): VersionResult {
  const { customerId, status, version } = present;
  return {
    ...{ customerId, status, version },
    isComplete: isComplete(present),
    versions: versions.map(toViewVersion),
  } as VersionResult;
}

/** A version as the API shows it. */
function toViewVersion(version: ViewWithTimeline): ViewVersion {
  const { view, timeline } = version;
  const { bookingId, currency } = view;
  const text = (instant: Date | null) => instant?.toISOString();
  const host = toHostFields(version);
  return {
    bookingId,
    booking: { id: bookingId },
    status: view.status,
    spaceName: view.spaceName,
    slot: { startAt: text(view.startAt), endAt: text(view.endAt) },
    price: { amount: view.priceAmount, currency },
    paymentStatus: view.paymentStatus,
    refunded: { amount: view.refunded, currency },
    registrationStatus: view.registrationStatus,
    timeline: timeline.map(({ status, at }) => ({ status, at: text(at) })),
    version: view.version,
    updatedAt: text(view.updatedAt),
    isComplete: isComplete(view),
    host: host && {
      ...host,
      requestedAt: text(host.requestedAt),
      decideBefore: text(host.decideBefore) ?? null,
    },
    // A view that is shown has had an event of its booking: none of these fields is null.
  } as ViewVersion;
}
