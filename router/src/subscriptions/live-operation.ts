import type { ViewVersion } from '#contracts/mypage.ts';
import type { Payload } from './payload.ts';

/** What a subscription of a live operation is told. */
export interface Member {
  take(version: ViewVersion, payload: Payload): void;
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

/**
 * One operation, subscribed to by any number of clients with the same variables and the same identity:
 * for each version of a view it is executed once, written once, and told to all of them in order.
 */
export class LiveOperation {
  readonly #execute: (version: ViewVersion) => Promise<Payload>;
  readonly #memberships = new Map<Member, Membership>();
  readonly #payloads = new Map<string, Promise<Payload>>();
  #tellings = 0;
  #told: Promise<unknown> = Promise.resolve();

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
        member.take(version, payload);
      }
    }
    membership.since = this.#tellings;
  }

  /** Tells all members; with `isReset` also those who know a higher version. */
  tell(version: ViewVersion, isReset: boolean): void {
    this.#tellings += 1;
    const telling = this.#tellings;
    for (const membership of this.#memberships.values()) {
      if (membership.since === undefined) membership.missed.push(version);
    }
    const payload = this.#payload(version);
    this.#told = this.#told.then(async () => {
      const written = await payload;
      for (const membership of this.#memberships.values()) {
        if (membership.since === undefined || membership.since >= telling) continue;
        if (!isReset && isKnown(membership, version)) continue;
        if (membership.version !== undefined) membership.version = version.version;
        membership.member.take(version, written);
      }
    });
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

function isKnown({ version }: Membership, { version: told }: ViewVersion): boolean {
  return version !== undefined && told <= version;
}
