import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { GraphQLError } from 'graphql';
import { unauthenticated } from '#platform/graphql/errors.ts';
import type { AdmittedRequest } from '../admission/admission.ts';
import type { Identity } from '../identity/identity.ts';
import { atInstant } from './at-instant.ts';
import { closeGradually } from './close-gradually.ts';
import type { Operations } from './operations.ts';
import { pacedSink } from './paced-sink.ts';
import { Payload } from './payload.ts';

/** A format for a sequence of payloads in one HTTP response. */
export interface StreamProtocol {
  name: 'sse' | 'multipart';
  contentType: string;
  isForSubscriptionsOnly: boolean;
  opening: string;
  encode(payload: Payload): string;
  heartbeat: string;
  closing: string;
}

/** GraphQL over Server-Sent Events, "distinct connections mode": PROTOCOL.md of graphql-sse. */
const serverSentEvents: StreamProtocol = {
  name: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  isForSubscriptionsOnly: false,
  opening: ':\n\n',
  encode: (payload) => payload.serverSentEvent,
  heartbeat: ':\n\n',
  closing: 'event: complete\ndata:\n\n',
};

/** Apollo's multipart protocol for subscriptions over HTTP, `subscriptionSpec=1.0`. */
const multipart: StreamProtocol = {
  name: 'multipart',
  contentType: 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0',
  isForSubscriptionsOnly: true,
  opening: '\r\n--graphql',
  encode: (payload) => payload.part,
  heartbeat: '\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql',
  closing: '--\r\n',
};

const HEARTBEAT_MS = 10_000;

/** The stream protocol that the Accept header selects, if any. */
export function streamProtocol(accept: string | undefined): StreamProtocol | null {
  if (accept?.includes('text/event-stream')) return serverSentEvents;
  if (accept && /multipart\/mixed[^,]*subscriptionSpec/i.test(accept)) return multipart;
  return null;
}

/** Who opens a stream. */
export interface StreamClient {
  identity: Identity | null;
  address: string;
}

export interface EventStreams {
  /** Responds with a stream; its headers and first bytes are sent immediately. */
  serve(
    protocol: StreamProtocol,
    request: AdmittedRequest,
    client: StreamClient,
    reply: FastifyReply,
  ): Promise<void>;
  /** Ends all streams in batches over that time, so that their clients do not all reconnect at once. */
  close(withinMs: number): Promise<void>;
}

export function eventStreams(operations: Operations): EventStreams {
  const open = new Map<ServerResponse, StreamProtocol>();
  const heartbeats = setInterval(() => {
    for (const [response, { heartbeat }] of open) {
      // A client that has not received what was written needs no heartbeat.
      if (!response.writableNeedDrain) response.write(heartbeat);
    }
  }, HEARTBEAT_MS);

  return {
    async serve(protocol, request, { identity, address }, reply) {
      const { raw: response } = reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) response.setHeader(name, value);
      }
      response.writeHead(200, {
        'content-type': protocol.contentType,
        'cache-control': 'no-cache, no-transform',
        // Without it Nginx would buffer the payloads.
        'x-accel-buffering': 'no',
      });
      response.write(protocol.opening);
      open.set(response, protocol);

      const sink = pacedSink({
        write: (payloads) => void response.write(payloads.map(protocol.encode).join('')),
        bufferedBytes: () => response.writableLength,
        end: () => void response.end(protocol.closing),
      });
      const refuse = (errors: readonly GraphQLError[]) => {
        sink.next([new Payload({ errors })]);
        sink.complete();
      };
      const cancelExpiry = atInstant(identity?.expiresAt, () =>
        refuse([unauthenticated('The token has expired: subscribe again with a new one.')]),
      );
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      response.on('error', () => {});
      const opened = await operations.open(
        request,
        { principal: identity?.principal ?? null, address },
        sink,
        protocol.name,
      );
      if ('errors' in opened) refuse(opened.errors);
      await closed;
      cancelExpiry();
      open.delete(response);
      if ('end' in opened) opened.end();
    },

    async close(withinMs) {
      // Without the protocol's end, because the operation is not complete.
      await closeGradually([...open.keys()], withinMs, (stream) => stream.end());
      clearInterval(heartbeats);
    },
  };
}
