import {
  type OpenMinutes,
  OpenMinutesSum,
  openMinutesOn,
  toOpenMinutes,
} from '../domain/open-minutes.ts';
import type { HostViews } from '../ports.ts';

/** A space has up to 400 dates with other hours: more at once would block the process for too long. */
const SPACES_BATCH_SIZE = 25;

type Ports = Pick<HostViews, 'spaceZones' | 'spaces'>;

/** The spaces of a host, or one of them, as the reports of one request share them: each is read once. */
export interface HostSpaces {
  /** Time zones by the space's id. */
  zones(): Promise<ReadonlyMap<string, string>>;
  /** On the date, of the spaces on offer and of those that are used then. */
  openMinutes(date: string, used: ReadonlySet<string>): Promise<number>;
}

export function hostSpaces(views: Ports, hostId: string, spaceId: string | null): HostSpaces {
  let zones: ReturnType<Ports['spaceZones']> | undefined;
  let openTimes: ReturnType<typeof readOpenTimes> | undefined;
  const readZones = () => {
    zones ??= views.spaceZones(hostId, spaceId);
    return zones;
  };

  return {
    zones: readZones,
    async openMinutes(date, used) {
      openTimes ??= readZones().then((found) => readOpenTimes(views, hostId, [...found.keys()]));
      const { offered, others } = await openTimes;
      let minutes = offered.on(date);
      for (const spaceId of used) {
        const other = others.get(spaceId);
        if (other) minutes += openMinutesOn(other, date);
      }
      return minutes;
    },
  };
}

/** Of the spaces on offer in sum, because a report asks for 366 days of hundreds of spaces. */
async function readOpenTimes(
  views: Ports,
  hostId: string,
  spaceIds: readonly string[],
): Promise<{ offered: OpenMinutesSum; others: ReadonlyMap<string, OpenMinutes> }> {
  const offered = new OpenMinutesSum();
  const others = new Map<string, OpenMinutes>();
  for (let start = 0; start < spaceIds.length; start += SPACES_BATCH_SIZE) {
    const spaces = await views.spaces(hostId, spaceIds.slice(start, start + SPACES_BATCH_SIZE));
    for (const space of spaces) {
      const minutes = toOpenMinutes(space);
      if (space.state === 'ACTIVE') offered.add(minutes);
      else others.set(space.spaceId, minutes);
    }
  }
  return { offered, others };
}
