import { createHash } from 'node:crypto';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { SANDBOX_PAGE } from './sandbox-page.ts';

/** Tells browsers what not to do with answers; the page of Apollo Sandbox may load what it needs. */
export async function addSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    // Pages of the allowed origins read answers; the others' browsers are told so by CORS.
    crossOriginResourcePolicy: { policy: 'same-origin' },
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    if (payload === SANDBOX_PAGE) reply.header('content-security-policy', SANDBOX_POLICY);
    return payload;
  });
}

const SANDBOX_POLICY = [
  "default-src 'none'",
  `script-src https://embeddable-sandbox.cdn.apollographql.com ${inline('script')}`,
  `style-src ${inline('style')}`,
  // The Sandbox in its frame has this page ask for it.
  'frame-src https://sandbox.embed.apollographql.com',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Allows what stands in the page, letter by letter. */
function inline(element: string): string {
  const [, text = ''] = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(SANDBOX_PAGE) ?? [];
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
