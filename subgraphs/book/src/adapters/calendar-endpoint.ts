import type { FastifyInstance } from 'fastify';
import { Counter } from 'prom-client';
import { z } from 'zod';
import { CALENDARS_PATH, type CalendarResult, calendarsRequest } from '#contracts/calendars.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import {
  type CalendarSlots,
  type Calendars,
  readCalendars,
} from '../application/read-calendars.ts';

/** Serves free slots with their versions to routers, which push them to subscribers. */
export function serveCalendars(calendars: Calendars, metrics: Metrics) {
  const computed = new Counter({
    name: 'spacerent_free_slots_computed_total',
    help: 'Free slots that were computed for live subscribers: one for each change, range and router. Per process.',
    registers: [metrics],
  });
  return (app: FastifyInstance): void => {
    app.post(CALENDARS_PATH, async (request, reply) => {
      const parsed = calendarsRequest.safeParse(request.body);
      if (!parsed.success) return reply.code(400).send({ message: z.prettifyError(parsed.error) });
      const results = await readCalendars(calendars, parsed.data.queries);
      computed.inc(results.filter((result) => result?.slots).length);
      return { results: results.map((result) => result && toResult(result)) };
    });
  };
}

function toResult({ version, slots }: CalendarSlots): CalendarResult {
  const text = (instant: Date) => instant.toISOString();
  return {
    version,
    slots:
      slots?.map(({ startAt, endAt }) => ({ startAt: text(startAt), endAt: text(endAt) })) ?? null,
  };
}
