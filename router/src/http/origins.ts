import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { CORRELATION_HEADER } from '#platform/observability/correlation.ts';

/** Origins, separated by commas, as browsers send them. */
export const allowedOrigins = z
  .string()
  .transform((list) => list.split(',').map((each) => each.trim()))
  .refine(
    (list) => !list.some((each) => each.includes('*')),
    'must name every origin: * would let any site send requests with the credentials that a browser has of its user',
  )
  .refine(
    (list) => list.every(isOrigin),
    'must be origins, as in https://app.example,http://localhost:3000',
  );

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Lets pages of these origins, and no others, read responses (CORS). Credentials are not allowed. */
export async function allowOrigins(
  app: FastifyInstance,
  origins: readonly string[],
): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: [CORRELATION_HEADER, 'retry-after'],
    maxAge: 600,
    // Other OPTIONS requests than preflights are handled as without CORS.
    strictPreflight: false,
  });
}

/**
 * Whether a page may open a WebSocket: CORS does not cover them, so that only pages of the router's host and
 * of the allowed origins may. Clients outside browsers send no origin.
 */
export function mayConnect(origins: readonly string[]) {
  const allowed = new Set(origins);
  return ({ headers: { origin, host } }: IncomingMessage): boolean => {
    if (origin === undefined || allowed.has(origin)) return true;
    return URL.canParse(origin) && host !== undefined && new URL(origin).host === host;
  };
}
