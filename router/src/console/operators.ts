import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { requireRole } from '#platform/auth/principal.ts';
import { forbidden } from '#platform/graphql/errors.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { type Identify, readAuthorization } from '../identity/identity.ts';
import { outagePage, signInPage } from './pages.ts';
import { openSessions } from './sessions.ts';

/** Who may use the console: requests with an operator's token, or with the cookie of one who has signed in. */
export interface Operators {
  /** The user id of the operator who sends the request; rejects when it is none. */
  identify(request: FastifyRequest): Promise<string>;
  /** Serves the form that signs in, and signing out. */
  serveSessions(app: FastifyInstance): void;
}

const MAX_FORM_BYTES = 16_384;
const HTTP_STATUS: Record<string, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SERVICE_UNAVAILABLE: 503,
};

export function operators(identify: Identify, logger: Logger): Operators {
  const sessions = openSessions();

  async function requireOperator(authorization: string | undefined): Promise<string> {
    const identity = await identify(authorization);
    return requireRole(identity?.principal ?? null, 'operator').userId;
  }

  return {
    identify: ({ raw }) =>
      requireOperator(readAuthorization(raw) ?? sessions.find(raw.headers.cookie)),
    serveSessions(app) {
      app.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
        (_request, body, done) => done(null, new URLSearchParams(String(body))),
      );
      app.post('/session', async (request, reply) => {
        requireOwnPage(request);
        const form = request.body instanceof URLSearchParams ? request.body : undefined;
        const token = (form?.get('token') ?? '')
          .trim()
          .replace(/^(authorization:\s*)?bearer\s+/i, '');
        const authorization = `Bearer ${token}`;
        const user = await requireOperator(authorization);
        logger.info({ user }, 'an operator has signed in');
        const isSecure = request.headers.origin?.startsWith('https:') === true;
        return reply
          .header('set-cookie', sessions.begin(authorization, isSecure))
          .redirect('/', 303);
      });
      app.get('/sign-out', async (request, reply) =>
        reply.header('set-cookie', sessions.end(request.headers.cookie)).redirect('/', 303),
      );
    },
  };
}

/** A page of another site could sign a browser in as another operator. */
function requireOwnPage({ headers: { origin, host } }: FastifyRequest): void {
  if (origin && URL.canParse(origin) && new URL(origin).host === host) return;
  throw forbidden("Sign in on the console's own page: this request came from another one.");
}

/**
 * Responds to a refusal or an outage: pages with a sentence, and the form where signing in ends it, others with
 * the sentence alone. False if the error is neither.
 */
export function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): boolean {
  const status = error instanceof GraphQLError && HTTP_STATUS[String(error.extensions.code)];
  if (!status) return false;
  const { message } = error;
  const isPage = request.headers.accept?.includes('text/html') === true;
  void reply.code(status).header('cache-control', 'no-store');
  const page = status === 503 ? outagePage : signInPage;
  if (isPage) void reply.type('text/html; charset=utf-8').send(page(message));
  else void reply.send({ error: message });
  return true;
}
