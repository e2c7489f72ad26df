import { z } from 'zod';
import { requirePrincipal } from '../auth/principal.ts';
import { badInput } from '../graphql/errors.ts';
import { parseId } from '../graphql/ids.ts';
import { readPage, toConnection } from '../graphql/pagination.ts';
import type { SubgraphContext } from '../graphql/subgraph-server.ts';
import { isText } from '../graphql/text.ts';
import type { Consumer } from '../messaging/consumer.ts';
import type { DeadLetter, DeadLetterState, DeadLetters } from '../messaging/dead-letters.ts';
import { failureText, plainFailureText } from '../messaging/failure-text.ts';
import type { Logger } from '../observability/logger.ts';

interface ListArgs {
  state?: Exclude<DeadLetterState, 'FAILING'> | null;
  first: number | null;
  after?: string | null;
}

const OPEN_STATES: DeadLetterState[] = ['PARKED', 'REPLAYING'];
const position = z.uuid();
const MAX_REASON_LENGTH = 1_000;

/**
 * The resolvers of a context's dead letters, for operators: the fields `<context>DeadLetters`,
 * `replay<Context>DeadLetter` and `discard<Context>DeadLetter`.
 */
export function deadLetterResolvers(
  context: 'Book' | 'Payment' | 'Space' | 'MyPage',
  deadLetters: DeadLetters,
  consumer: Pick<Consumer, 'reprocess'>,
  logger: Pick<Logger, 'info'>,
) {
  const listField = `${context === 'MyPage' ? 'myPage' : context.toLowerCase()}DeadLetters`;
  return {
    Query: {
      async [listField](_: unknown, args: ListArgs) {
        const page = readPage(args, position);
        const rows = await deadLetters.list({
          states: args.state ? [args.state] : OPEN_STATES,
          after: page.after,
          limit: page.first + 1,
        });
        return toConnection(
          rows,
          page,
          (row) => row.eventId,
          (row) => row,
        );
      },
    },

    Mutation: {
      async [`replay${context}DeadLetter`](
        _: unknown,
        args: { eventId: string },
        { principal }: SubgraphContext,
      ) {
        const { userId: by } = requirePrincipal(principal);
        const eventId = parseId(args.eventId, 'eventId');
        return replay(deadLetters, consumer, logger, eventId, by);
      },

      async [`discard${context}DeadLetter`](
        _: unknown,
        args: { eventId: string; reason: string },
        { principal }: SubgraphContext,
      ) {
        const { userId: by } = requirePrincipal(principal);
        const eventId = parseId(args.eventId, 'eventId');
        const reason = parseReason(args.reason);
        const isDone = await deadLetters.resolve(eventId, { state: 'DISCARDED', by, reason });
        if (!isDone) return toRefusal(await deadLetters.find(eventId));
        logger.info({ eventId, by, reason }, 'dead letter discarded');
        return success(deadLetters, eventId);
      },
    },

    DeadLetter: {
      type: ({ event }: DeadLetter) => event.type,
      topic: ({ event }: DeadLetter) => event.topic,
      aggregateId: ({ event }: DeadLetter) => event.aggregateId,
      version: ({ event }: DeadLetter) => event.version,
      occurredAt: ({ event }: DeadLetter) => new Date(event.occurredAt),
      correlationId: ({ event }: DeadLetter) => event.correlationId,
      error: ({ error }: DeadLetter) => plainFailureText(error),
      payload: ({ event }: DeadLetter) => JSON.stringify(event.payload),
    },
    DeadLetterResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

async function replay(
  deadLetters: DeadLetters,
  consumer: Pick<Consumer, 'reprocess'>,
  logger: Pick<Logger, 'info'>,
  eventId: string,
  by: string,
) {
  await deadLetters.beginReplay(eventId);
  const deadLetter = await deadLetters.find(eventId);
  if (deadLetter?.state !== 'REPLAYING') return toRefusal(deadLetter);
  try {
    await consumer.reprocess(deadLetter.event);
  } catch (error) {
    logger.info({ eventId, by }, 'dead letter replayed in vain');
    return {
      type: 'DeadLetterReplayFailed',
      message: `It failed again and stays parked: ${failureText(error)}`,
    };
  }
  if (await deadLetters.resolve(eventId, { state: 'REPLAYED', by, reason: null })) {
    logger.info({ eventId, by }, 'dead letter replayed');
  }
  return success(deadLetters, eventId);
}

async function success(deadLetters: DeadLetters, eventId: string) {
  return { type: 'DeadLetterSuccess', deadLetter: await deadLetters.find(eventId) };
}

function toRefusal(deadLetter: DeadLetter | null) {
  return deadLetter && deadLetter.state !== 'FAILING'
    ? {
        type: 'DeadLetterSettled',
        message: `This event is ${deadLetter.state.toLowerCase()} already.`,
        state: deadLetter.state,
      }
    : { type: 'DeadLetterNotFound', message: 'There is no such dead letter.' };
}

function parseReason(text: string): string {
  const reason = text.trim();
  if (reason === '') throw badInput('reason', 'Say why the event is discarded.');
  if (reason.length > MAX_REASON_LENGTH || !isText(reason)) {
    throw badInput('reason', `The reason must be text of at most ${MAX_REASON_LENGTH} characters.`);
  }
  return reason;
}
