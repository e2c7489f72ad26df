import { z } from 'zod';
import { bookingEvents } from '#contracts/book.ts';
import { paymentEvents } from '#contracts/payment.ts';
import { spaceEvents } from '#contracts/space.ts';
import { readPayload } from '#platform/event-payload.ts';
import type { EventContract } from '#platform/events.ts';
import { NotUnderstood } from '#platform/failures.ts';
import { openHttpPool } from '#platform/http-pool.ts';
import type { Authorize } from '#platform/internal-tokens.ts';
import type { Logger } from '#platform/logger.ts';
import { EVENT_COUNT_PATH, EVENTS_PATH } from '#platform/stored-events.ts';
import type { ProjectedEvent } from '../booking-status-view.ts';
import type { StoredEvent, StoredEvents, ToldBy } from '../ports.ts';

const TIMEOUT_MS = 10_000;

const page = z.object({
  events: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      version: z.number(),
      // Absent where the context runs an earlier release.
      schemaVersion: z.int().default(1),
      occurredAt: z.coerce.date(),
      payload: z.unknown(),
    }),
  ),
  next: z.string().nullable(),
});
const count = z.object({ count: z.number() });

type Kinds = Record<ToldBy, { of: ProjectedEvent['of']; contracts: Record<string, EventContract> }>;

/** Whose facts each context's events carry. */
const KINDS: Kinds = {
  book: { of: 'booking', contracts: bookingEvents },
  payment: { of: 'payment', contracts: paymentEvents },
  space: { of: 'registration', contracts: spaceEvents },
};

/** Reads what the other contexts have stored, over HTTP: none reads another's database. */
export function storedEventsClient(
  urls: Record<ToldBy, string>,
  authorize: Authorize,
  logger: Logger,
  kinds = KINDS,
): StoredEvents & { close(): Promise<void> } {
  const pools = new Map(
    Object.entries(urls).map(([name, url]) => [name, openHttpPool(url, { connections: 1 })]),
  );

  async function ask<Answer>(from: ToldBy, path: string, shape: z.ZodType<Answer>) {
    const response = await pools.get(from)?.request({
      method: 'GET',
      path,
      headers: { authorization: await authorize(from) },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    if (response?.statusCode !== 200) {
      await response?.body.dump();
      throw new Error(`${from} answered ${path} with ${response?.statusCode}`);
    }
    return shape.parse(await response.body.json());
  }

  return {
    async page(from, after) {
      const query = after === null ? '' : `?after=${after}`;
      const answer = await ask(from, `${EVENTS_PATH}${query}`, page);
      return {
        next: answer.next,
        events: answer.events.map((each) => read(kinds[from], each, logger)),
      };
    },
    count: async (from) => (await ask(from, EVENT_COUNT_PATH, count)).count,
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

function read(
  { of, contracts }: Kinds[ToldBy],
  { id, type, version, schemaVersion, occurredAt, payload }: z.infer<typeof page>['events'][number],
  logger: Logger,
): StoredEvent {
  const contract = contracts[type];
  if (contract && !contract.consumers.includes('mypage')) {
    return { id, event: null, isUnreadable: false };
  }
  try {
    // What a newer version published may be meant for mypage: it is not passed over unseen.
    if (!contract) throw new NotUnderstood(`mypage does not know ${type}`);
    const facts = readPayload(contract, { type, schemaVersion, payload });
    const event = { id, version, occurredAt, of, facts } as ProjectedEvent;
    return { id, event, isUnreadable: false };
  } catch (error) {
    logger.warn({ event: type, eventId: id, err: error }, 'a stored event cannot be read');
    return { id, event: null, isUnreadable: true };
  }
}
