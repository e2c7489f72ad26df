import type { System } from '../../support/system.ts';
import type { RandomRequest } from './random-requests.ts';
import type { Received } from './senders.ts';

/** Codes of temporary faults, which may have a status of 500 and above. */
const TEMPORARY_FAULTS = new Set(['SERVICE_UNAVAILABLE', 'REQUEST_TIMEOUT']);
/** Close codes of RFC 6455 and graphql-transport-ws that do not mean an internal error. */
const CLOSES = new Set([1000, 1001, 1002, 1005, 1007, 1009, 1013]);

/** Internal details: stack traces, statements, files, libraries. Random requests contain none of them. */
const INTERNAL = [
  /\bat \S+ \(|\.[mc]?[jt]s:\d+|node_modules|node:internal|\/dist\/|\/tmp\//,
  /\b(Type|Range|Reference|Syntax)Error\b|Maximum call stack|Cannot read prop|is not (a function|defined(?! by)|iterable)/,
  /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b .*\b(FROM|VALUES|SET|WHERE)\b|violates|invalid input syntax|byte sequence/i,
  /prisma|postgres|mariadb|mysql|sqlite|libsql|bullmq|redis\b|fastify|undici|apollo-server|jsonwebtoken|\bjose\b|\bzod\b/i,
  /FST_ERR|HPE_|ERR_[A-Z]|ECONN|\bETIMEDOUT|\bUND_ERR|P20\d\d\b|\bER_[A-Z]{3}/,
];

/** Returns a function that finds internal details in a text for clients. */
export function leakFinder(system: System): (text: string) => string[] {
  const { services, databases } = system.instance();
  const own = new URL(system.address).host;
  const hosts = [...Object.values(services).map(({ url }) => url), ...Object.values(databases)]
    .filter((url) => /^\w+:\/\//.test(url))
    .map((url) => new URL(url).host)
    .filter((host) => host !== '' && host !== own);
  return (text) => {
    const found = INTERNAL.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
    return [...found, ...hosts.filter((host) => text.includes(host))];
  };
}

/** Returns a function that lists all problems of a response. */
export function responseChecker(system: System) {
  const leaks = leakFinder(system);

  function errorsIn(response: unknown): string[] {
    const { errors = [] } = (response ?? {}) as {
      errors?: { extensions?: Record<string, unknown> }[];
    };
    if (!Array.isArray(errors)) return ['errors are no list'];
    return errors.flatMap(({ extensions: { code, correlationId } = {} }) => [
      ...(typeof code === 'string' ? [] : ['an error has no code']),
      ...(code === 'INTERNAL_SERVER_ERROR' ? [`a fault, ${correlationId}`] : []),
      ...(typeof correlationId === 'string' ? [] : ['an error has no correlation id']),
    ]);
  }

  function problemsOfHttp(
    request: RandomRequest & { over: 'http' },
    { status, type, text }: Received,
  ): string[] {
    if (/event-stream|multipart/.test(type)) {
      const parts = text
        .split(/\r?\n/)
        .flatMap((line) => /^(?:data: ?)?(\{.*\})$/.exec(line)?.[1] ?? []);
      const responses = parts.map(parseJson);
      return responses.flatMap((each) => [
        ...(each === undefined ? ['a part is not JSON'] : []),
        ...errorsIn((each as { payload?: unknown } | undefined)?.payload ?? each),
      ]);
    }
    if (request.method === 'HEAD' || text === '') return status < 500 ? [] : [`status ${status}`];
    if (type.startsWith('text/html')) return status === 200 ? [] : [`a page with status ${status}`];
    const response = parseJson(text);
    if (response === undefined) return [`no JSON: ${text.slice(0, 200)}`];
    const problems = errorsIn(response);
    if (status >= 500) {
      const codes = (response as { errors?: { extensions?: { code?: string } }[] }).errors ?? [];
      const isTemporary = codes.every(({ extensions }) =>
        TEMPORARY_FAULTS.has(extensions?.code ?? ''),
      );
      if (status !== 503 || codes.length === 0 || !isTemporary) problems.push(`status ${status}`);
    }
    return problems;
  }

  function problemsOfSocket({ frames, close, status }: Received): string[] {
    const problems = frames.flatMap((frame) => {
      const message = parseJson(frame) as { type?: string; payload?: unknown } | undefined;
      if (typeof message?.type !== 'string') return [`no message: ${frame.slice(0, 200)}`];
      const { type, payload } = message;
      return errorsIn(type === 'error' ? { errors: payload } : type === 'next' ? payload : {});
    });
    const code = close?.code ?? 1000;
    // 1006, a connection without a close frame, is a problem.
    const isFine = CLOSES.has(code) || (code >= 4400 && code < 4500);
    return [
      ...problems,
      ...(isFine ? [] : [`closed with ${code}`]),
      ...(status < 500 ? [] : [`status ${status}`]),
    ];
  }

  return (request: RandomRequest, received: Received): string[] => [
    ...leaks(
      received.type.startsWith('text/html')
        ? ''
        : [received.text, ...received.frames, received.close?.reason].join('\n'),
    ),
    ...(request.over === 'http' ? problemsOfHttp(request, received) : problemsOfSocket(received)),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
