import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe } from '@jest/globals';
import type { ContextName } from '#contracts/topology.ts';
import { signEmbeddedToken, signToken } from './identity-provider.mjs';

const MIN_POLL_MS = 50;
const MAX_POLL_MS = 1_000;

export type Profile = 'embedded' | 'servers';

export interface GraphQLResponse {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read into responses and fail where they differ
  data: any;
  errors: { message: string; path?: string[]; extensions: Record<string, unknown> }[] | undefined;
}

/** A running spacerent, used as clients use it: over HTTP, through the router. */
export class System {
  readonly profile: Profile;
  readonly home: string;
  /** The GraphQL address of a second router; undefined for the system's own router. */
  readonly #otherUrl: string | undefined;

  constructor(profile: Profile, home: string, otherUrl?: string) {
    this.profile = profile;
    this.home = home;
    this.#otherUrl = otherUrl;
  }

  /** What the supervisor publishes about the system: addresses, process ids, databases. */
  instance(): {
    graphqlUrl: string;
    databases: Record<ContextName, string>;
    services: Record<string, { pid: number | null; url: string }>;
  } {
    return JSON.parse(readFileSync(join(this.home, 'instance.json'), 'utf8'));
  }

  get graphqlUrl(): string {
    return this.#otherUrl ?? this.instance().graphqlUrl;
  }

  get address(): string {
    return this.graphqlUrl.replace(/\/graphql$/, '');
  }

  token(user: string, ...roles: string[]): Promise<string> {
    return this.tokenFor('1h', user, ...roles);
  }

  /** A token with a lifetime in the syntax of jose, such as `2s`. */
  async tokenFor(lifetime: string, user: string, ...roles: string[]): Promise<string> {
    const granted = roles.length > 0 ? roles : ['customer'];
    const readHomeFile = (file: string) => readFileSync(join(this.home, file), 'utf8').trim();
    return this.profile === 'embedded'
      ? signEmbeddedToken(readHomeFile('auth-secret'), user, granted, lifetime)
      : signToken(JSON.parse(readHomeFile('identity-provider.json')), user, granted, lifetime);
  }

  async graphql(
    token: string | null,
    query: string,
    variables?: object,
    headers?: Record<string, string>,
  ): Promise<GraphQLResponse> {
    const response = await fetch(this.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    const body = JSON.parse(await response.text());
    return { status: response.status, headers: response.headers, ...body };
  }

  logOf(service: string): string {
    return readFileSync(join(this.home, 'logs', `${service}.log`), 'utf8');
  }
}

/** Runs the same tests on every profile that this run has a system for. */
export function describeSystems(name: string, tests: (system: System) => void): void {
  const homes: [Profile, string | undefined][] = [
    ['embedded', process.env.SYSTEM_EMBEDDED],
    ['servers', process.env.SYSTEM_SERVERS],
  ];
  for (const [profile, home] of homes) {
    if (home) describe(`${name} (${profile})`, () => tests(new System(profile, home)));
  }
}

/** The same system through its second router, which has the stock executor; only the embedded profile has it. */
export function otherRouters({ profile, home }: System): System[] {
  const router = profile === 'embedded' ? process.env.STOCK_ROUTER : undefined;
  return router ? [new System(profile, home, router)] : [];
}

/** Runs the same tests on every system, and on the embedded one also through the stock executor. */
export function describeRouters(name: string, tests: (system: System) => void): void {
  describeSystems(name, (system) => {
    tests(system);
    for (const other of otherRouters(system))
      describe('with the stock executor', () => tests(other));
  });
}

/** Waits for as long as the poll took, within limits: on a busy machine polling delays what it waits for. */
const pauseAfter = (pollBeganAt: number) =>
  pause(Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, performance.now() - pollBeganAt)));

/** Polls until `check` returns something truthy, and resolves with it; fails after `seconds`. */
export async function until<T>(
  condition: string,
  check: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  seconds = 15,
): Promise<T> {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const beganAt = performance.now();
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${condition}`);
    await pauseAfter(beganAt);
  }
}

/** Repeats an assertion until it holds; after `seconds` it fails with the last error. */
export async function eventually(assertion: () => Promise<void>, seconds = 15): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const beganAt = performance.now();
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pauseAfter(beganAt);
    }
  }
}
