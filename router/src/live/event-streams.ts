import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { GraphQLError } from 'graphql';
import { unauthenticated } from '#platform/graphql/errors.ts';
import type { AdmittedRequest } from '../admission/admission.ts';
import type { Identified } from '../identity/identity.ts';
import { atInstant } from './at-instant.ts';
import type { Operations } from './operations.ts';
import { pacedSink } from './paced-sink.ts';
import { Payload } from './payload.ts';

/** A way to write answers, one after the other, into one HTTP response. */
export interface StreamProtocol {
  name: 'sse' | 'multipart';
  contentType: string;
  isForSubscriptions: boolean;
  opening: string;
  answer(payload: Payload): string;
  heartbeat: string;
  closing: string;
}

/** GraphQL over Server-Sent Events, "distinct connections mode": PROTOCOL.md of graphql-sse. */
const serverSentEvents: StreamProtocol = {
  name: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  isForSubscriptions: false,
  opening: ':\n\n',
  answer: (payload) => payload.serverSentEvent,
  heartbeat: ':\n\n',
  closing: 'event: complete\ndata:\n\n',
};

/** Apollo's multipart protocol for subscriptions over HTTP, `subscriptionSpec=1.0`. */
const multipart: StreamProtocol = {
  name: 'multipart',
  contentType: 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0',
  isForSubscriptions: true,
  opening: '\r\n--graphql',
  answer: (payload) => payload.part,
  heartbeat: '\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql',
  closing: '--\r\n',
};

const LEAVING_SIZE = 100;
const HEARTBEAT_MS = 10_000;

/** Which of the protocols the client wants, if any. */
export function streamProtocol(accept: string | undefined): StreamProtocol | null {
  if (accept?.includes('text/event-stream')) return serverSentEvents;
  if (accept && /multipart\/mixed[^,]*subscriptionSpec/i.test(accept)) return multipart;
  return null;
}

export interface EventStreams {
  /** Answers with a stream; its head and first bytes are sent at once. */
  serve(
    protocol: StreamProtocol,
    request: AdmittedRequest,
    identified: Identified | null,
    reply: FastifyReply,
  ): Promise<void>;
  /** Ends all streams within that time, batch by batch: their clients will come back. */
  leave(withinMs: number): Promise<void>;
}

export function eventStreams(operations: Operations): EventStreams {
  const open = new Map<ServerResponse, StreamProtocol>();
  const beating = setInterval(() => {
    for (const [response, { heartbeat }] of open) {
      // Who does not even take what was sent has no need of a sign of life.
      if (!response.writableNeedDrain) response.write(heartbeat);
    }
  }, HEARTBEAT_MS);

  return {
    async serve(protocol, request, identified, reply) {
      const { raw: response } = reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) response.setHeader(name, value);
      }
      response.writeHead(200, {
        'content-type': protocol.contentType,
        'cache-control': 'no-cache, no-transform',
        // Nginx would collect the answers otherwise.
        'x-accel-buffering': 'no',
      });
      response.write(protocol.opening);
      open.set(response, protocol);

      const sink = pacedSink({
        write: (payloads) => void response.write(payloads.map(protocol.answer).join('')),
        waiting: () => response.writableLength,
        end: () => void response.end(protocol.closing),
      });
      const refuse = (errors: readonly GraphQLError[]) => {
        sink.next([new Payload({ errors })]);
        sink.complete();
      };
      const stayOpen = atInstant(identified?.expiresAt, () =>
        refuse([unauthenticated('The token has expired: come back with a new one.')]),
      );
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      response.on('error', () => {});
      const opened = await operations.open(
        request,
        identified?.viewer ?? null,
        sink,
        protocol.name,
      );
      if ('errors' in opened) refuse(opened.errors);
      await closed;
      stayOpen();
      open.delete(response);
      if ('end' in opened) opened.end();
    },

    async leave(withinMs) {
      const streams = [...open.keys()];
      for (let start = 0; start < streams.length; start += LEAVING_SIZE) {
        if (start > 0) await pause((withinMs * LEAVING_SIZE) / streams.length);
        // Without the closing words: the operation is not complete.
        for (const stream of streams.slice(start, start + LEAVING_SIZE)) stream.end();
      }
      clearInterval(beating);
    },
  };
}
