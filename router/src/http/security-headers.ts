import { createHash } from 'node:crypto';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { SANDBOX_PAGE } from './sandbox-page.ts';

/** Forbids browsers to use responses as pages; the page of Apollo Sandbox may load its own sources. */
export async function addSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    // CORS lets pages of the allowed origins read responses all the same.
    crossOriginResourcePolicy: { policy: 'same-origin' },
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    if (payload === SANDBOX_PAGE) reply.header('content-security-policy', SANDBOX_POLICY);
    return payload;
  });
}

const SANDBOX_POLICY = [
  "default-src 'none'",
  `script-src https://embeddable-sandbox.cdn.apollographql.com ${inlineHash('script')}`,
  `style-src ${inlineHash('style')}`,
  // The Sandbox in its frame makes this page send its requests.
  'frame-src https://sandbox.embed.apollographql.com',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The hash that allows exactly this inline element of the page. */
function inlineHash(element: string): string {
  const [, text = ''] = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(SANDBOX_PAGE) ?? [];
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
