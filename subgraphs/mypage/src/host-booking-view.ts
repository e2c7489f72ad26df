import type { BookingStatusView } from './booking-status-view.ts';
import type { ViewWithTimeline } from './ports.ts';

/** Events of releases up to 0.2.0 do not say how many people come; the API's default was one. */
const DEFAULT_HEADCOUNT = 1;

/** What a host sees beyond the customer's view. */
export interface HostFields {
  hostId: string;
  spaceId: string;
  customerId: string;
  headcount: number;
  note: string | null;
  requestedAt: Date;
  decideBefore: Date | null;
}

/** Null: no event of the booking or its space has named the host yet. */
export function toHostFields({ view, timeline }: ViewWithTimeline): HostFields | null {
  const { hostId, spaceId, customerId, note, decideBefore } = view;
  if (hostId === null || spaceId === null || customerId === null) return null;
  return {
    ...{ hostId, spaceId, customerId, note, decideBefore },
    headcount: view.headcount ?? DEFAULT_HEADCOUNT,
    requestedAt: view.requestedAt ?? firstChange(view, timeline),
  };
}

/** The time of the first status: events of releases up to 0.2.0 do not repeat the time of the request. */
function firstChange(view: BookingStatusView, timeline: ViewWithTimeline['timeline']): Date {
  return timeline[0]?.at ?? view.updatedAt;
}
