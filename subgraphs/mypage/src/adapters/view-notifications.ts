import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  type RecentNotifications,
  type VersionAnswer,
  VIEW_NOTIFICATIONS_PATH,
  VIEW_VERSIONS_PATH,
  type ViewNotification,
  type ViewVersion,
  versionQuestions,
} from '#contracts/mypage.ts';
import { instant } from '#contracts/values.ts';
import type { Publisher } from '#platform/messaging/notifications.ts';
import { type BookingStatusView, isComplete } from '../booking-status-view.ts';
import type { AskedVersions, VersionPlace, ViewVersions, WholeView } from '../ports.ts';

const NOTIFICATION_BATCH_SIZE = 1_000;
/** PostgreSQL notifies of 8000 bytes at most. */
const MAX_NOTIFICATION_BYTES = 7_000;

/** Publishes new versions of views, but not those of a generation that is not live. */
export function notifySubscribers(publisher: Publisher) {
  return (views: readonly BookingStatusView[]): void => {
    const notifications = views.flatMap(({ bookingId, customerId, version }) =>
      customerId === null ? [] : [{ bookingId, customerId, version }],
    );
    for (const text of texts(notifications)) publisher.publish(text);
  };
}

/** As JSON, as many of them in one as fit. */
function texts(notifications: readonly ViewNotification[]): string[] {
  if (notifications.length === 0) return [];
  const text = JSON.stringify(notifications);
  if (notifications.length === 1 || Buffer.byteLength(text) <= MAX_NOTIFICATION_BYTES)
    return [text];
  const half = Math.ceil(notifications.length / 2);
  return [...texts(notifications.slice(0, half)), ...texts(notifications.slice(half))];
}

const recentQuestion = z.object({
  since: instant,
  after: z
    .string()
    .transform((text, { addIssue }): VersionPlace => {
      const [projectedAt = '', bookingId = '', version = ''] = text.split('_');
      const at = new Date(projectedAt);
      if (Number.isNaN(at.getTime()) || !/^\d+$/.test(version)) addIssue('is no place');
      return { projectedAt: at, bookingId, version: Number(version) };
    })
    .optional(),
});

/** Serves the kept versions to those who push them, at {@link VIEW_VERSIONS_PATH} and beside it. */
export function serveViewVersions(app: FastifyInstance, versions: ViewVersions): void {
  app.post(VIEW_VERSIONS_PATH, async (request, reply) => {
    const asked = versionQuestions.safeParse(request.body);
    if (!asked.success) return reply.code(400).send({ message: z.prettifyError(asked.error) });
    const answers = await versions.of(asked.data.bookings);
    return { answers: answers.map((each) => each && answerOf(each)) };
  });
  app.get(VIEW_NOTIFICATIONS_PATH, async (request, reply) => {
    const asked = recentQuestion.safeParse(request.query);
    if (!asked.success) return reply.code(400).send({ message: z.prettifyError(asked.error) });
    // Before the question: what is projected meanwhile is found again next time.
    const now = new Date().toISOString();
    const { since, after = null } = asked.data;
    const noted = await versions.projectedSince(since, after, NOTIFICATION_BATCH_SIZE);
    const last = noted.length < NOTIFICATION_BATCH_SIZE ? undefined : noted.at(-1);
    return {
      notices: noted.map((each) => ({ ...each, projectedAt: each.projectedAt.toISOString() })),
      now,
      next: last ? `${last.projectedAt.toISOString()}_${last.bookingId}_${last.version}` : null,
    } satisfies RecentNotifications;
  });
}

function answerOf({ present, versions }: AskedVersions): VersionAnswer {
  const { customerId, status, version } = present;
  return {
    ...{ customerId, status, version },
    isComplete: isComplete(present),
    versions: versions.map(versionOf),
  } as VersionAnswer;
}

/** A version in the words of the API. */
function versionOf({ view, timeline }: WholeView): ViewVersion {
  const { bookingId, currency } = view;
  const text = (instant: Date | null) => instant?.toISOString();
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
    // Whatever is shown has its booking's facts, none of which is null then.
  } as ViewVersion;
}
