import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Signed-in browsers of this process, by the value of a cookie; a restart ends all sessions. */
export interface Sessions {
  /** Begins a session with an `Authorization` header, and returns the `Set-Cookie` header. */
  begin(authorization: string, isSecure: boolean): string;
  /** The `Authorization` header of the session that a `Cookie` header names. */
  find(cookies: string | undefined): string | undefined;
  /** Ends that session, and returns the `Set-Cookie` header. */
  end(cookies: string | undefined): string;
}

const COOKIE = 'spacerent-queues';
const MAX_SESSIONS = 1_000;
/** Nobody works longer without signing in again; the token can expire sooner. */
const SESSION_SECONDS = 12 * 3_600;

export function openSessions(): Sessions {
  const authorizations = new LRUCache<string, string>({
    max: MAX_SESSIONS,
    ttl: SESSION_SECONDS * 1_000,
  });
  return {
    begin(authorization, isSecure) {
      const id = randomBytes(32).toString('base64url');
      authorizations.set(id, authorization);
      return setCookie(id, SESSION_SECONDS, isSecure);
    },
    find: (cookies) => authorizations.get(sessionId(cookies)),
    end(cookies) {
      authorizations.delete(sessionId(cookies));
      return setCookie('', 0, false);
    },
  };
}

function sessionId(cookies = ''): string {
  const [, id = ''] = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]+)`).exec(cookies) ?? [];
  return id;
}

/** Scripts cannot read the cookie, and no browser sends it with a request that a page of another site causes. */
function setCookie(id: string, seconds: number, isSecure: boolean): string {
  const attributes = [`Max-Age=${seconds}`, 'Path=/', 'HttpOnly', 'SameSite=Strict'];
  return [`${COOKIE}=${id}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ');
}
