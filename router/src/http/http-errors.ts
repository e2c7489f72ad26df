import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CORRELATION_HEADER, correlationId } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';

/** An error before GraphQL, with a message that names no library. */
interface HttpProblem {
  status: number;
  code: string;
  message: string;
}

export interface HttpLimits {
  bodyBytes: number;
  receiveMs: number;
  responseMs: number;
}

const RESPONSE_TIMEOUT = 'RESPONSE_TIMEOUT';

/** The error to throw when a request took longer than `responseMs`. */
export function responseTimeout(): Error {
  return Object.assign(new Error('no response in time'), {
    code: RESPONSE_TIMEOUT,
    statusCode: 503,
  });
}

/** Responds to every HTTP error in GraphQL's format, without a stack, a host or a library's name. */
export function handleHttpErrors(app: FastifyInstance, limits: HttpLimits, logger: Logger): void {
  app.setErrorHandler<FastifyError>((error, { raw }, reply) => {
    // Node calls it after a response with `Connection: close`, such as that to a body above the limit.
    if (!raw.complete) raw.socket.destroySoon = () => closeInStages(raw.socket);
    const problem = toProblem(error, limits);
    if (problem.status >= 500) logger.error({ err: error }, 'a request failed');
    return send(problem, reply);
  });
  app.setNotFoundHandler((_request, reply) => {
    const message = 'There is nothing at this address for this method.';
    return send({ status: 404, code: 'NOT_FOUND', message }, reply);
  });
}

/** Responds to URLs that cannot be parsed: Fastify's `frameworkErrors`. */
export function handleBadUrl(
  _error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const message = 'The address is not understood.';
  void send({ status: 400, code: 'BAD_REQUEST', message }, reply);
}

/** Responds to invalid and incomplete HTTP requests: Fastify's `clientErrorHandler`. */
export function handleBrokenRequest(limits: HttpLimits) {
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
    if (isInResponse(socket)) {
      socket.destroy();
      return;
    }
    const { status, ...problem } = toBrokenRequestProblem(error.code, limits);
    const id = correlationId();
    const body = toBody(problem, id);
    closeInStages(
      socket,
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        'Content-Type: application/json; charset=utf-8\r\n' +
        `Content-Length: ${Buffer.byteLength(body)}\r\n` +
        `${CORRELATION_HEADER}: ${id}\r\n` +
        'Connection: close\r\n\r\n' +
        body,
    );
  };
}

/** Whether a response has begun: another one would be read as its body. Node's own handler checks the same field. */
function isInResponse(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}

/** For how long what a client still sends is read after the response: nginx's default (lingering_timeout). */
const LINGER_MS = 5_000;

/**
 * Ends a connection in stages (RFC 9112, section 9.6): closed at once, it would be reset by what the client is still
 * sending, and the client could lose the response. What is still received is dropped.
 */
function closeInStages(socket: Duplex, response?: string): void {
  // The parser would go on, and could complete the request.
  socket.removeAllListeners('data').on('data', () => {});
  socket.once('end', () => socket.destroy());
  const limit = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(limit));
  socket.end(response);
}

function toProblem({ code, statusCode = 500 }: FastifyError, limits: HttpLimits): HttpProblem {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return {
        status: 413,
        code: 'PAYLOAD_TOO_LARGE',
        message: `The request's body is larger than ${limits.bodyBytes} bytes.`,
      };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        status: 415,
        code: 'BAD_REQUEST',
        message: 'Send JSON, with the header content-type: application/json.',
      };
    case RESPONSE_TIMEOUT:
      return {
        status: 503,
        code: 'REQUEST_TIMEOUT',
        message: `There was no response within ${limits.responseMs} ms. The operation may still be executed: send it again with the same keys.`,
      };
    case 'ERR_INVALID_URL':
      return { status: 400, code: 'BAD_REQUEST', message: 'The Host header is not understood.' };
  }
  if (statusCode === 400) {
    return { status: 400, code: 'BAD_REQUEST', message: "The request's body is not JSON." };
  }
  if (statusCode < 500) {
    return { status: statusCode, code: 'BAD_REQUEST', message: 'The request is not understood.' };
  }
  return {
    status: 500,
    code: 'INTERNAL_SERVER_ERROR',
    message: 'Something went wrong on our side. Name the correlation id when you report it.',
  };
}

function toBrokenRequestProblem(code: string | undefined, { receiveMs }: HttpLimits): HttpProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        code: 'REQUEST_TIMEOUT',
        message: `The request was not received within ${receiveMs} ms.`,
      };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'BAD_REQUEST', message: "The request's headers are too large." };
    default:
      return { status: 400, code: 'BAD_REQUEST', message: 'This is not an HTTP request.' };
  }
}

function send({ status, ...problem }: HttpProblem, reply: FastifyReply) {
  // Without a parsed URL the hook that sets the id has not run.
  const id = String(reply.getHeader(CORRELATION_HEADER) ?? correlationId());
  return reply
    .code(status)
    .header(CORRELATION_HEADER, id)
    .type('application/json; charset=utf-8')
    .send(toBody(problem, id));
}

function toBody({ code, message }: Omit<HttpProblem, 'status'>, correlationId: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, correlationId } }] });
}
