import { setImmediate as otherWork } from 'node:timers/promises';
import type { ViewVersion } from '#contracts/mypage.ts';
import type { Payload } from './payload.ts';

/** A version of a view, and what the operation answers of it. */
export interface Told {
  version: ViewVersion;
  payload: Payload;
}

/** What a subscription of a live operation is told, in order; several versions when they come at once. */
export interface Member {
  take(told: readonly Told[]): void;
}

interface Telling {
  version: ViewVersion;
  isReset: boolean;
  /** How many tellings there were, with this one. */
  number: number;
  payload: Promise<Payload>;
}

interface Membership {
  member: Member;
  /** The newest version that the member was told; of customers' operations there are many. */
  version: number | undefined;
  /** After so many tellings it had caught up; undefined: it still reads what was before. */
  since: number | undefined;
  /** What is told meanwhile. */
  missed: ViewVersion[];
}

/** As many answers are remembered, for those who catch up. */
const REMEMBERED = 16;
/** After so many members were told, other work has its turn. */
const SEND_BATCH_SIZE = 500;

/**
 * One operation, subscribed to by any number of clients with the same variables and the same identity:
 * for each version of a view it is executed once, written once, and told to all of them in order.
 */
export class LiveOperation {
  readonly #execute: (version: ViewVersion) => Promise<Payload>;
  readonly #memberships = new Map<Member, Membership>();
  readonly #payloads = new Map<string, Promise<Payload>>();
  #tellings = 0;
  #untold: Telling[] = [];
  #isTelling = false;

  /** `execute` never rejects. */
  constructor(execute: (version: ViewVersion) => Promise<Payload>) {
    this.#execute = execute;
  }

  get isDeserted(): boolean {
    return this.#memberships.size === 0;
  }

  /** The member is told nothing yet, but nothing is lost for it from now on. */
  join(member: Member): void {
    this.#memberships.set(member, { member, version: undefined, since: undefined, missed: [] });
  }

  leave(member: Member): void {
    this.#memberships.delete(member);
  }

  /** Tells the member these versions, then what came meanwhile; after that it is told with all others. */
  async catchUp(member: Member, versions: readonly ViewVersion[], known?: number): Promise<void> {
    const membership = this.#memberships.get(member);
    if (!membership) return;
    membership.version = known;
    // What was missed counts also when there was nothing to read.
    const untold = [...versions, ...membership.missed.splice(0)];
    for (let next = untold; next.length > 0; next = membership.missed.splice(0)) {
      for (const version of next) {
        if (isKnown(membership, version)) continue;
        const payload = await this.#payload(version);
        if (!this.#memberships.has(member)) return;
        membership.version = version.version;
        member.take([{ version, payload }]);
      }
    }
    membership.since = this.#tellings;
  }

  /** Tells all members; with `isReset` also those who know a higher version. */
  tell(version: ViewVersion, isReset: boolean): void {
    this.#tellings += 1;
    for (const membership of this.#memberships.values()) {
      if (membership.since === undefined) membership.missed.push(version);
    }
    const payload = this.#payload(version);
    this.#untold.push({ version, isReset, number: this.#tellings, payload });
    if (!this.#isTelling) void this.#tellUntold();
  }

  /** Member by member, all that is new at once: a write costs more than what is written. */
  async #tellUntold(): Promise<void> {
    this.#isTelling = true;
    while (this.#untold.length > 0) {
      await this.#untold[0]?.payload;
      const tellings = this.#untold.splice(0);
      const told = await Promise.all(
        tellings.map(async (telling) => ({ ...telling, payload: await telling.payload })),
      );
      let count = 0;
      for (const membership of this.#memberships.values()) {
        const fresh = told.filter((telling) => isDue(membership, telling));
        if (fresh.length > 0) membership.member.take(fresh);
        count += 1;
        if (count % SEND_BATCH_SIZE === 0) await otherWork();
      }
    }
    this.#isTelling = false;
  }

  #payload(version: ViewVersion): Promise<Payload> {
    const key = `${version.bookingId} ${version.version}`;
    const known = this.#payloads.get(key);
    if (known) return known;
    const payload = this.#execute(version);
    this.#payloads.set(key, payload);
    const [oldest] = this.#payloads.keys();
    if (this.#payloads.size > REMEMBERED && oldest) this.#payloads.delete(oldest);
    return payload;
  }
}

/** Has the member to be told? Notes that it is. */
function isDue(
  membership: Membership,
  { version, isReset, number }: Omit<Telling, 'payload'>,
): boolean {
  if (membership.since === undefined || membership.since >= number) return false;
  if (!isReset && isKnown(membership, version)) return false;
  if (membership.version !== undefined) membership.version = version.version;
  return true;
}

function isKnown({ version }: Membership, { version: told }: ViewVersion): boolean {
  return version !== undefined && told <= version;
}
