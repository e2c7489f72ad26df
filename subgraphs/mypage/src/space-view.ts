import type { SpacePayload } from '#contracts/space.ts';
import type { ProjectedEvent } from './booking-status-view.ts';

/** What the host's pages need of a space. */
export type SpaceView = Pick<
  SpacePayload,
  'spaceId' | 'hostId' | 'name' | 'timeZone' | 'state' | 'openingHours' | 'openingExceptions'
> & { version: number };

/** An event with the whole state of a space. */
export interface SpaceEvent {
  aggregate: 'space';
  id: string;
  version: number;
  occurredAt: Date;
  payload: SpacePayload;
}

/** Everything that the read model is projected from. */
export type ConsumedEvent = ProjectedEvent | SpaceEvent;

export function isSpaceEvent(event: ConsumedEvent): event is SpaceEvent {
  return event.aggregate === 'space';
}

export function toSpaceView({ payload, version }: SpaceEvent): SpaceView {
  const { spaceId, hostId, name, timeZone, state, openingHours, openingExceptions } = payload;
  return { spaceId, hostId, name, timeZone, state, openingHours, openingExceptions, version };
}

/** The newest event of each space. */
export function findNewest(events: readonly SpaceEvent[]): SpaceEvent[] {
  const newest = new Map<string, SpaceEvent>();
  for (const event of events) {
    const { spaceId } = event.payload;
    if (event.version > (newest.get(spaceId)?.version ?? 0)) newest.set(spaceId, event);
  }
  return [...newest.values()];
}
