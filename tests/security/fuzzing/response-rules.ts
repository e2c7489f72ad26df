import type { System } from '../../support/system.ts';
import type { Shot } from './random-requests.ts';
import type { Seen } from './senders.ts';

/** How the system says that it cannot do something now. */
const DECLARED_FAULTS = new Set(['SERVICE_UNAVAILABLE', 'REQUEST_TIMEOUT']);
/** Of RFC 6455 and graphql-transport-ws; none that says that something broke. */
const CLOSES = new Set([1000, 1001, 1002, 1005, 1007, 1009, 1013]);

/** What belongs inside: traces of code, statements, files, libraries. Nothing that a shot holds matches. */
const INSIDE = [
  /\bat \S+ \(|\.[mc]?[jt]s:\d+|node_modules|node:internal|\/dist\/|\/tmp\//,
  /\b(Type|Range|Reference|Syntax)Error\b|Maximum call stack|Cannot read prop|is not (a function|defined(?! by)|iterable)/,
  /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b .*\b(FROM|VALUES|SET|WHERE)\b|violates|invalid input syntax|byte sequence/i,
  /prisma|postgres|mariadb|mysql|sqlite|libsql|bullmq|redis\b|fastify|undici|apollo-server|jsonwebtoken|\bjose\b|\bzod\b/i,
  /FST_ERR|HPE_|ERR_[A-Z]|ECONN|\bETIMEDOUT|\bUND_ERR|P20\d\d\b|\bER_[A-Z]{3}/,
];

/** Makes what finds, in a text that a client sees, what belongs inside the system. */
export function leaksOf(system: System): (text: string) => string[] {
  const { services, databases } = system.instance();
  const own = new URL(system.address).host;
  const hosts = [...Object.values(services).map(({ url }) => url), ...Object.values(databases)]
    .filter((url) => /^\w+:\/\//.test(url))
    .map((url) => new URL(url).host)
    .filter((host) => host !== '' && host !== own);
  return (text) => {
    const found = INSIDE.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
    return [...found, ...hosts.filter((host) => text.includes(host))];
  };
}

/** Makes what says everything that is wrong with an answer of the system; nothing: an empty list. */
export function judgeOf(system: System) {
  const leaks = leaksOf(system);

  function errorsIn(answer: unknown): string[] {
    const { errors = [] } = (answer ?? {}) as {
      errors?: { extensions?: Record<string, unknown> }[];
    };
    if (!Array.isArray(errors)) return ['errors are no list'];
    return errors.flatMap(({ extensions: { code, correlationId } = {} }) => [
      ...(typeof code === 'string' ? [] : ['an error has no code']),
      ...(code === 'INTERNAL_SERVER_ERROR' ? [`a fault, ${correlationId}`] : []),
      ...(typeof correlationId === 'string' ? [] : ['an error has no correlation id']),
    ]);
  }

  function ofHttp(shot: Shot & { over: 'http' }, { status, type, text }: Seen): string[] {
    if (/event-stream|multipart/.test(type)) {
      const parts = text
        .split(/\r?\n/)
        .flatMap((line) => /^(?:data: ?)?(\{.*\})$/.exec(line)?.[1] ?? []);
      const answers = parts.map(parsed);
      return answers.flatMap((each) => [
        ...(each === undefined ? ['a part is not JSON'] : []),
        ...errorsIn((each as { payload?: unknown } | undefined)?.payload ?? each),
      ]);
    }
    if (shot.method === 'HEAD' || text === '') return status < 500 ? [] : [`status ${status}`];
    if (type.startsWith('text/html')) return status === 200 ? [] : [`a page with status ${status}`];
    const answer = parsed(text);
    if (answer === undefined) return [`no JSON: ${text.slice(0, 200)}`];
    const problems = errorsIn(answer);
    if (status >= 500) {
      const codes = (answer as { errors?: { extensions?: { code?: string } }[] }).errors ?? [];
      const isDeclared = codes.every(({ extensions }) =>
        DECLARED_FAULTS.has(extensions?.code ?? ''),
      );
      if (status !== 503 || codes.length === 0 || !isDeclared) problems.push(`status ${status}`);
    }
    return problems;
  }

  function ofSocket({ frames, close, status }: Seen): string[] {
    const problems = frames.flatMap((frame) => {
      const message = parsed(frame) as { type?: string; payload?: unknown } | undefined;
      if (typeof message?.type !== 'string') return [`no message: ${frame.slice(0, 200)}`];
      const { type, payload } = message;
      return errorsIn(type === 'error' ? { errors: payload } : type === 'next' ? payload : {});
    });
    const code = close?.code ?? 1000;
    // 1006: cut off without a word.
    const isFine = CLOSES.has(code) || (code >= 4400 && code < 4500);
    return [
      ...problems,
      ...(isFine ? [] : [`closed with ${code}`]),
      ...(status < 500 ? [] : [`status ${status}`]),
    ];
  }

  return (shot: Shot, seen: Seen): string[] => [
    ...leaks(
      seen.type.startsWith('text/html')
        ? ''
        : [seen.text, ...seen.frames, seen.close?.reason].join('\n'),
    ),
    ...(shot.over === 'http' ? ofHttp(shot, seen) : ofSocket(seen)),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
