import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CORRELATION_HEADER, correlationId } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';

/** What went wrong before GraphQL, in our words: the libraries' are for those who know them. */
interface HttpProblem {
  status: number;
  code: string;
  message: string;
}

export interface HttpLimits {
  bodyBytes: number;
  receiveMs: number;
  answerMs: number;
}

const TOO_LATE = 'ANSWER_TOO_LATE';

/** What to throw when a request took longer than `answerMs`. */
export function answerTooLate(): Error {
  return Object.assign(new Error('no answer in time'), { code: TOO_LATE, statusCode: 503 });
}

/** Answers every error of HTTP as GraphQL's are, without a stack, a host or a library's name. */
export function answerHttpErrors(app: FastifyInstance, limits: HttpLimits, logger: Logger): void {
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const problem = problemOf(error, limits);
    if (problem.status >= 500) logger.error({ err: error }, 'a request failed');
    return send(problem, reply);
  });
  app.setNotFoundHandler((_request, reply) => {
    const message = 'There is nothing at this address for this method.';
    return send({ status: 404, code: 'NOT_FOUND', message }, reply);
  });
}

/** Answers addresses that cannot be read: Fastify's `frameworkErrors`. */
export function answerBadAddress(
  _error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const message = 'The address is not understood.';
  void send({ status: 400, code: 'BAD_REQUEST', message }, reply);
}

/** Answers what is not even a request, or does not come: Fastify's `clientErrorHandler`. */
export function answerBrokenRequest(limits: HttpLimits) {
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
    const { status, ...problem } = brokenRequest(error.code, limits);
    const id = correlationId();
    const body = bodyOf(problem, id);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        'Content-Type: application/json; charset=utf-8\r\n' +
        `Content-Length: ${Buffer.byteLength(body)}\r\n` +
        `${CORRELATION_HEADER}: ${id}\r\n` +
        'Connection: close\r\n\r\n' +
        body,
      // It may go on to send for ever.
      () => socket.destroy(),
    );
  };
}

function problemOf({ code, statusCode = 500 }: FastifyError, limits: HttpLimits): HttpProblem {
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
    case TOO_LATE:
      return {
        status: 503,
        code: 'REQUEST_TIMEOUT',
        message: `The request was not answered within ${limits.answerMs} ms. What it asked for may yet be done: send it again with the same keys.`,
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

function brokenRequest(code: string | undefined, { receiveMs }: HttpLimits): HttpProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        code: 'REQUEST_TIMEOUT',
        message: `The request did not come in within ${receiveMs} ms.`,
      };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'BAD_REQUEST', message: "The request's headers are too large." };
    default:
      return { status: 400, code: 'BAD_REQUEST', message: 'This is not an HTTP request.' };
  }
}

function send({ status, ...problem }: HttpProblem, reply: FastifyReply) {
  // Before an address is understood, no id was given yet.
  const id = String(reply.getHeader(CORRELATION_HEADER) ?? correlationId());
  return reply
    .code(status)
    .header(CORRELATION_HEADER, id)
    .type('application/json; charset=utf-8')
    .send(bodyOf(problem, id));
}

function bodyOf({ code, message }: Omit<HttpProblem, 'status'>, correlationId: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, correlationId } }] });
}
