import type { FastifyInstance } from 'fastify';
import { signDevelopmentToken, tokenRequest } from '../identity/development-tokens.ts';

/** Serves `POST /dev/token`, which issues a token for any user: for the embedded profile only. */
export function serveDevelopmentTokens(app: FastifyInstance, secret: string): void {
  app.post('/dev/token', async (request, reply) => {
    const parsed = tokenRequest.safeParse(request.body);
    if (parsed.success) return { token: await signDevelopmentToken(secret, parsed.data) };
    return reply.code(400).send({
      message: 'Send {"user":"kim","roles":["customer"]}; roles: customer, host, operator.',
    });
  });
}
