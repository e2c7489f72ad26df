import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Attributes = Record<string, unknown>;

interface OtlpAttribute {
  key: string;
  value: Record<string, unknown>;
}

/** A span as a collector receives it in OTLP's JSON. */
interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  status: { code?: number };
  attributes?: OtlpAttribute[];
  links?: { traceId: string; spanId: string }[];
}

interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: OtlpAttribute[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

export interface ReceivedSpan {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  isFailed: boolean;
  attributes: Attributes;
  links: readonly { traceId: string; spanId: string }[];
}

/** A collector: accepts traces over OTLP/HTTP in JSON, and keeps them. */
export interface OtlpReceiver {
  url: string;
  spans: ReceivedSpan[];
  /** The bodies as they were sent. */
  bodies: string[];
  headers: IncomingMessage['headers'][];
  /** From now on: accept, respond with 503, or do not respond. */
  behave(as: 'accept' | 'refuse' | 'hang'): void;
  close(): Promise<void>;
}

/** Listens at a free port, or at the given one. */
export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let behaviour: Parameters<OtlpReceiver['behave']>[0] = 'accept';
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as OtlpRequest;
    if (behaviour === 'hang') return;
    if (behaviour === 'refuse') return void response.writeHead(503).end();
    headers.push(request.headers);
    bodies.push(JSON.stringify(body));
    spans.push(...toSpans(body));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${listening}`,
    spans,
    bodies,
    headers,
    behave(as) {
      behaviour = as;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function toSpans({ resourceSpans }: OtlpRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(toAttributes(resource.attributes)['service.name']);
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map(({ name, traceId, spanId, parentSpanId, status, attributes, links }) => ({
        ...{ service, name, traceId, spanId },
        parentSpanId: parentSpanId || undefined,
        isFailed: status.code === 2,
        attributes: toAttributes(attributes ?? []),
        links: (links ?? []).map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
      }));
  });
}

function toAttributes(attributes: readonly OtlpAttribute[]): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
